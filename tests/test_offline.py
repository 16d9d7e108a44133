"""A test, and a kernel that a test starts, reaches this machine and no other."""

import socket
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ELSEWHERE = ("192.0.2.1", 80)  # TEST-NET-1 (RFC 5737), which is nobody's address
ATTEMPT = f"""import socket
try:
    socket.create_connection({ELSEWHERE}, timeout=1)
except Exception as error:
    print(type(error).__name__, error)
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname(), timeout=5).sendall(b"hello")
print(server.accept()[0].recv(5))
"""


@pytest.mark.parametrize("address", [ELSEWHERE, ("2001:db8::1", 80), ("127.0.0.1.example.com", 80), ("8", 80)])
def test_a_connection_to_another_machine_is_refused_at_once(address):
    with pytest.raises(PermissionError, match="no network but loopback"):
        socket.create_connection(address, timeout=1)


def test_a_datagram_socket_is_refused_as_well():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        pytest.raises(PermissionError, match="loopback"),
    ):
        datagrams.connect(ELSEWHERE)


def test_a_name_is_not_even_looked_up():
    with pytest.raises(PermissionError, match=r"asked for 'example\.com'"):
        socket.getaddrinfo("example.com", 443)


def test_loopback_works():
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, server.getsockname()[1]), timeout=5).close()


def test_a_lessons_kernel_has_no_other_network_either(tmp_path: Path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(ATTEMPT)])
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    refusal, received = notebook.cells[0].outputs[0].text.splitlines()
    assert refusal == "PermissionError tests have no network but loopback; something asked for '192.0.2.1'"
    assert received == "b'hello'"
