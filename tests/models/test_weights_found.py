"""Released weights: where they are looked for, what is refused, and what a download leaves behind."""

import contextlib
import hashlib
import io
import pickle
import re
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import save

from igteach.models import weights
from igteach.models.weights import RELEASES, Release, WeightsUnavailable, load_release


def legacy_pickle(value):
    """As torchvision's older files are: a pickle without a zip archive round it."""
    buffer = io.BytesIO()
    torch.save({"value": torch.tensor(value)}, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


LOCAL, OFFICIAL = save({"value": torch.tensor(1.0)}), legacy_pickle(2.0)


class Server(ThreadingHTTPServer):
    """Sends OFFICIAL to whoever asks; a test changes how."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.promised, self.status, self.asked = OFFICIAL, len(OFFICIAL), 200, 0
        self.drip = 0.0  # seconds between bytes
        self.half_is_out, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, address):
        """A client that went away is no news."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/tiny.pth"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked += 1
        self.send_response(server.status)
        if server.promised is not None:
            self.send_header("Content-Length", str(server.promised))
        self.end_headers()
        if server.drip:
            for letter in server.content:
                self.wfile.write(bytes([letter]))
                time.sleep(server.drip)
        half = len(server.content) // 2
        self.wfile.write(server.content[:half])
        server.half_is_out.set()
        if server.go_on.wait(timeout=30):
            self.wfile.write(server.content[half:])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = Server()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where torch.hub keeps downloads: not there yet. IGTEACH_MODELS is not set."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("IGTEACH_MODELS", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def tiny(server, cache, monkeypatch):
    """The table of releases has one name, "tiny": a local file (value 1) and an official one (value 2)."""
    monkeypatch.setattr(weights, "RELEASES", {"tiny": releases(server.url)})


def releases(url):
    return (
        Release("tiny.safetensors", hashlib.sha256(LOCAL).hexdigest()),
        Release("tiny.pth", hashlib.sha256(OFFICIAL).hexdigest()[:8], url),
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("IGTEACH_MODELS", str(folder))
    return folder


@pytest.fixture
def no_parsing(monkeypatch):
    import safetensors.torch

    def parse(*arguments, **options):
        pytest.fail("the file was parsed")

    monkeypatch.setattr(safetensors.torch, "load", parse)
    monkeypatch.setattr(torch, "load", parse)


def loaded(*arguments):
    return load_release("tiny", *arguments)["value"].item()


def flipped(content):
    return content[:-1] + bytes([content[-1] ^ 1])


def test_the_table_holds_whole_hashes_or_the_start_that_the_official_name_publishes():
    for known in RELEASES.values():
        for release in known:
            published = re.search(r"-([0-9a-f]{8})\.pth$", release.file)
            assert release.sha256 == published[1] if published else re.fullmatch("[0-9a-f]{64}", release.sha256)
            assert release.url is None or re.fullmatch(rf"https://.*/{re.escape(release.file)}", release.url)
        assert sum(release.url is not None for release in known) == 1


def test_the_official_file_is_torchvisions():
    urls = [release.url for release in RELEASES["squeezenet1_0"]]
    assert "https://download.pytorch.org/models/squeezenet1_0-b66bff10.pth" in urls


# Where weights are looked for


def test_a_path_comes_before_all_else(tiny, server, folder, tmp_path):
    (folder / "tiny.safetensors").write_bytes(LOCAL)
    mine = tmp_path / "any name"
    mine.write_bytes(OFFICIAL)
    assert loaded(mine) == loaded(str(mine)) == 2
    mine.write_bytes(LOCAL)
    assert loaded(mine) == 1
    assert server.asked == 0


def test_the_folder_comes_before_the_cache(tiny, server, folder, cache):
    cache.mkdir(parents=True)
    (cache / "tiny.pth").write_bytes(OFFICIAL)
    assert loaded() == 2  # the folder is empty
    (folder / "tiny.safetensors").write_bytes(LOCAL)
    assert loaded() == 1
    assert server.asked == 0


def test_the_official_file_in_the_folder_is_taken(tiny, server, folder):
    (folder / "tiny.pth").write_bytes(OFFICIAL)
    assert loaded() == 2
    assert server.asked == 0


def test_what_is_nowhere_is_downloaded_once_and_kept_where_torch_hub_keeps_things(tiny, server, folder, cache, capsys):
    assert loaded() == 2
    assert [path.name for path in cache.iterdir()] == ["tiny.pth"]
    assert (cache / "tiny.pth").read_bytes() == OFFICIAL
    shown = capsys.readouterr().err
    assert f"{cache / 'tiny.pth'} is missing: downloading {server.url}" in shown
    assert re.search(r"tiny\.pth: \d+\.\d MB$", shown, re.MULTILINE)
    assert loaded() == 2
    assert server.asked == 1
    assert capsys.readouterr().err == ""


def test_the_folder_may_be_named_from_home(tiny, server, folder, monkeypatch):
    (folder / "tiny.safetensors").write_bytes(LOCAL)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    monkeypatch.setenv("IGTEACH_MODELS", "~/models")
    assert loaded() == 1
    assert server.asked == 0


# What is refused


@pytest.mark.parametrize("name", ["tiny.safetensors", "tiny.pth"])
def test_another_file_in_the_folder_is_named_and_neither_opened_nor_replaced(tiny, server, folder, no_parsing, name):
    wrong = flipped(LOCAL if name.endswith("s") else OFFICIAL)
    (folder / name).write_bytes(wrong)
    with pytest.raises(ValueError, match=rf"{re.escape(name)} has SHA-256 {hashlib.sha256(wrong).hexdigest()}, not .*"):
        loaded()
    assert (folder / name).read_bytes() == wrong
    assert server.asked == 0


def test_another_file_at_the_path_is_refused_before_parsing(tiny, tmp_path, no_parsing):
    path = tmp_path / "tiny.pth"
    path.write_bytes(flipped(OFFICIAL))
    with pytest.raises(ValueError, match="damaged or another one, and was not opened; copy it again, or remove it"):
        loaded(path)


def test_a_path_without_a_file_is_named(tiny, server, tmp_path):
    for path in (tmp_path / "nothing.pth", tmp_path):
        with pytest.raises(FileNotFoundError, match=re.escape(f"path is {path}, which is no file; leave path out")):
            loaded(path)
    assert server.asked == 0


def test_an_unknown_name_gets_the_known_ones():
    with pytest.raises(ValueError, match="name is 'resnet18'; released weights are known for squeezenet1_0"):
        load_release("resnet18")


class Evil:
    def __reduce__(self):
        return pytest.fail, ("the pickle ran its code",)


def test_a_pickle_that_wants_to_run_code_does_not_even_with_the_right_hash(tiny, tmp_path, monkeypatch):
    buffer = io.BytesIO()
    torch.save(Evil(), buffer)
    path = tmp_path / "evil.pth"
    path.write_bytes(buffer.getvalue())
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    monkeypatch.setattr(weights, "RELEASES", {"tiny": (Release("evil.pth", digest),)})
    with pytest.raises(pickle.UnpicklingError, match="Weights only"):
        loaded(path)


# What a download leaves behind


def refused(cache):
    """The message of WeightsUnavailable, once it is clear that no file is left."""
    with pytest.raises(WeightsUnavailable) as error:
        loaded()
    assert not list(cache.iterdir())
    why, what_to_do = str(error.value).splitlines()
    assert "tiny.pth is missing" in why
    assert re.search(r"Connect .* once, or put tiny\.pth .* into a folder and set IGTEACH_MODELS to it", what_to_do)
    return why


def test_a_download_with_another_hash_is_not_kept(tiny, server, cache):
    server.content = flipped(OFFICIAL)
    assert "what came has SHA-256" in refused(cache)


def test_half_a_download_is_not_kept(tiny, server, cache):
    server.content = OFFICIAL[:-1]  # of len(OFFICIAL) bytes that are promised
    refused(cache)


def test_an_answer_without_the_file_is_told(tiny, server, cache):
    server.status = 404
    assert "HTTP Error 404" in refused(cache)


def test_a_server_that_is_gone_is_told(tiny, server, cache):
    server.shutdown()
    server.server_close()
    why = refused(cache)
    assert f"The folder IGTEACH_MODELS (not set) has no weights, {cache / 'tiny.pth'} is missing" in why
    assert f"{server.url} cannot be had" in why


def test_without_a_network_the_official_address_is_given_up_at_once(cache, monkeypatch):
    with pytest.raises(WeightsUnavailable, match=r"https://download\.pytorch\.org/.* cannot be had.*no network"):
        load_release("squeezenet1_0")


def test_a_server_that_falls_silent_is_not_waited_for(tiny, server, cache, monkeypatch):
    monkeypatch.setattr(weights, "PATIENCE", 0.2)
    server.go_on.clear()
    assert "timed out" in refused(cache)


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(tiny, server, cache, monkeypatch):
    monkeypatch.setattr(weights, "LONGEST_DOWNLOAD", 0.5)
    server.drip = 0.05
    start = time.monotonic()
    assert "it took longer than 0.5 seconds" in refused(cache)
    assert time.monotonic() - start < 3


def test_a_server_that_sends_its_headers_byte_by_byte_is_given_up(cache, monkeypatch):
    monkeypatch.setattr(weights, "LONGEST_DOWNLOAD", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip():
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                for letter in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000:
                    connection.sendall(bytes([letter]))
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/tiny.pth"
        monkeypatch.setattr(weights, "RELEASES", {"tiny": releases(url)})
        assert "it took longer than 0.5 seconds" in refused(cache)


def test_a_body_without_an_end_is_read_to_a_limit_only(tiny, server, cache, monkeypatch):
    monkeypatch.setattr(weights, "LARGEST_DOWNLOAD", 200_000)
    server.content, server.promised = bytes(10_000_000), None
    assert "it has more than 200000 bytes" in refused(cache)


@pytest.mark.parametrize("promised", ["many", "-5", "1e6", "5.0", ""])
def test_a_length_that_is_none_is_told(tiny, server, cache, promised):
    server.promised = promised
    assert f"its server promises {promised!r} bytes" in refused(cache)


def test_a_cache_that_cannot_be_written_is_told(tiny, server, cache):
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(WeightsUnavailable, match=re.escape(f"{cache / 'tiny.pth'} is missing")):
        loaded()


def test_a_damaged_download_is_downloaded_anew_and_not_in_silence(tiny, server, cache, capsys):
    cache.mkdir(parents=True)
    (cache / "tiny.pth").write_bytes(OFFICIAL[:100])
    assert loaded() == 2
    assert (cache / "tiny.pth").read_bytes() == OFFICIAL
    assert "tiny.pth is damaged: downloading" in capsys.readouterr().err


def test_a_damaged_download_stays_where_it_is_without_a_network(tiny, server, cache, no_parsing):
    server.shutdown()
    server.server_close()
    cache.mkdir(parents=True)
    (cache / "tiny.pth").write_bytes(OFFICIAL[:100])
    with pytest.raises(WeightsUnavailable, match=r"tiny\.pth is damaged, and .* cannot be had"):
        loaded()
    assert [path.read_bytes() for path in cache.iterdir()] == [OFFICIAL[:100]]


LOAD_IN_A_PROCESS = """
import sys
from igteach.models import weights
url, digest = sys.argv[1:]
weights.RELEASES = {"tiny": (weights.Release("tiny.pth", digest, url),)}
weights.load_release("tiny")
"""


def test_a_program_killed_while_it_downloads_leaves_no_half_file_under_the_name(tiny, server, cache):
    server.content = OFFICIAL * 200  # more than is buffered before it is written
    server.promised = len(server.content)
    server.go_on.clear()
    digest = hashlib.sha256(server.content).hexdigest()
    program = subprocess.Popen([sys.executable, "-c", LOAD_IN_A_PROCESS, server.url, digest], stderr=subprocess.PIPE)
    assert server.half_is_out.wait(timeout=60)
    program.kill()
    program.communicate()
    assert list(cache.iterdir()) == []
    server.go_on.set()
    server.content, server.promised = OFFICIAL, len(OFFICIAL)
    assert loaded() == 2
