"""Python imports this by itself at its start: from then on a connection leaves the machine only by way of an error."""

import ipaddress
import sys

ADDRESS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}  # where in the event's arguments it is
HOST = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0}


def refuse_all_but_loopback(event: str, arguments: tuple) -> None:
    if event in ADDRESS:
        address = arguments[ADDRESS[event]]
        host = address[0] if isinstance(address, tuple) else ""  # else a Unix socket, or one that is connected
    elif event in HOST:
        host = arguments[HOST[event]] or ""
    else:
        return
    if not is_loopback(host):
        raise PermissionError(f"tests have no network but loopback; something asked for {host!r}")


def is_loopback(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback or name == "0.0.0.0"
    except ValueError:
        return False


sys.addaudithook(refuse_all_but_loopback)
