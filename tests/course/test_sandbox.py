"""What a kernel in the box can and cannot do."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from igteach.course import sandbox
from igteach.course.grade import grade
from igteach.models import smollm2

ASKED = {
    "network": "import socket; socket.create_connection(('127.0.0.1', PORT), 2)",
    "system": "open('/usr/written', 'w')",
    "package": "import igteach; open(igteach.__file__, 'a')",
    "own folder": "open('written', 'w')",
    "other students": "open('OTHER').read()",
    "large file": "open('/tmp/large', 'w').write('x' * 60_000_000)",
    "full disk": "[open(f'/tmp/{n}', 'w').write('x' * 40_000_000) for n in range(9)]",
    "shared memory": "[open(f'/dev/shm/{n}', 'w').write('x' * 40_000_000) for n in range(2)]",
    "devices": "open('/dev/written', 'w')",
    "the kernel's settings": "open('/proc/sys/kernel/printk', 'w')",
    "a remount": "import subprocess; subprocess.run(['mount', '-o', 'remount,rw', '/'], check=True)",
    "memory": "hoard = bytearray(4 * 2**30)",
    "grader's variables": "import os; os.environ['GRADERS_SECRET']",
    "any process's variables": "assert any(b'GRADERS' in p.read_bytes() for p in Path('/proc').rglob('environ'))",
    "the solutions": "from igteach.exercises.solutions import EXERCISES",
    "a solution's module": "import igteach.exercises.solutions.lesson04",
    "a solution's file": "import igteach; open(igteach.__path__[0] + '/exercises/solutions/lesson04.py')",
    "other cases": "open('/cases/other', 'w')",
    "grader's processes": "import os; assert [p for p in os.listdir('/proc') if p.isdigit() and int(p) > 500]",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory, box):
    """What a boxed kernel replies to each question, and to harmless ones."""
    folder = tmp_path_factory.mktemp("box")
    for name in ("mine", "cases"):
        (folder / name).mkdir()
    (folder / "mine" / "note.txt").write_text("mine")
    (folder / "other.txt").write_text("not mine")
    return asyncio.run(ask(folder))


async def ask(folder):
    os.environ["GRADERS_SECRET"] = "7"
    listening = socket.create_server(("127.0.0.1", 0))
    (folder / "sockets").mkdir()
    manager = sandbox.SandboxedKernelManager(kernel_name="python3", connection_file=str(folder / "sockets" / "k.json"))
    manager.show(folder / "mine", folder / "cases")
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)

    async def reply(code, timeout=60):
        code = code.replace("PORT", str(listening.getsockname()[1])).replace("OTHER", str(folder / "other.txt"))
        code = "from pathlib import Path\n" + code
        result = await client.execute_interactive(code, timeout=timeout, output_hook=lambda _: None)
        return result["content"].get("ename", "ok")

    said = {what: await reply(code) for what, code in ASKED.items()}
    said["its own note"] = await reply("assert open('note.txt').read() == 'mine'")
    said["igteach"] = await reply("import igteach.models.digits; igteach.models.digits.load()")
    left = "import subprocess; subprocess.Popen(['sleep', '4242.5'], start_new_session=True)"
    said["a program in the background"] = await reply(left)
    client.execute("while True: pass")
    await asyncio.sleep(1)
    await manager.interrupt_kernel()
    await asyncio.sleep(1)
    said["after a loop"] = await reply("1 + 1")
    client.stop_channels()
    await manager.shutdown_kernel(now=True)
    listening.close()
    await asyncio.sleep(0.5)
    said["programs left"] = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"4242.5" in read(path)]
    return said


def read(path):
    try:
        return path.read_bytes()
    except OSError:  # it has just ended
        return b""


REFUSED = {
    "network": ("ConnectionRefusedError", "OSError"),
    "system": ("OSError",),
    "package": ("OSError",),
    "own folder": ("OSError",),
    "other students": ("FileNotFoundError",),
    "large file": ("OSError",),
    "full disk": ("OSError",),
    "shared memory": ("OSError",),
    "devices": ("OSError",),
    "the kernel's settings": ("OSError", "PermissionError"),
    "a remount": ("CalledProcessError",),
    "memory": ("MemoryError",),
    "grader's variables": ("KeyError",),
    "any process's variables": ("AssertionError",),
    "the solutions": ("ImportError",),
    "a solution's module": ("ModuleNotFoundError",),
    "a solution's file": ("FileNotFoundError",),
    "other cases": ("OSError",),
    "grader's processes": ("AssertionError",),
}


@pytest.mark.parametrize("what", ASKED)
def test_the_box_refuses(what, answers):
    assert answers[what] in REFUSED[what]


@pytest.mark.parametrize("what", ["its own note", "igteach", "a program in the background", "after a loop"])
def test_the_box_allows_what_a_lesson_needs(what, answers):
    assert answers[what] == "ok"


def test_what_was_started_in_the_box_ends_with_it(answers):
    assert answers["a program in the background"] == "ok"
    assert answers["programs left"] == []


MODEL = "/models/SmolLM2-135M-Instruct"
IN_THE_CACHE = {  # what a notebook says of the language model, and of what lies beside it
    "from igteach.models import smollm2; print(smollm2.find())": MODEL,
    f"print(open('{MODEL}/config.json').read())": "the model",
    "import os; print(os.listdir('/models'))": "['SmolLM2-135M-Instruct']",
    "print(os.environ.get('TORCH_HOME'))": "None",
    f"open('{MODEL}/config.json', 'a')": "OSError",
    f"open('{MODEL}/written', 'w')": "OSError",
    f"os.remove('{MODEL}/config.json')": "OSError",
    "open('/models/written', 'w')": "OSError",
    "open('CACHE/other.txt').read()": "FileNotFoundError",
    "open('/models/other.txt').read()": "FileNotFoundError",
}


@pytest.mark.parametrize("variable", ["TORCH_HOME", "IGTEACH_MODELS"])
def test_the_language_model_is_read_in_the_box_and_nothing_else_of_its_folder(
    run_in_box, tmp_path, monkeypatch, variable
):
    cache = tmp_path / ("torch/hub/checkpoints" if variable == "TORCH_HOME" else "models")
    (cache / smollm2.FOLDER).mkdir(parents=True)
    (cache / smollm2.FOLDER / "config.json").write_text("the model")
    (cache / "other.txt").write_text("not for submissions")
    monkeypatch.delenv("IGTEACH_MODELS", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "torch" if variable == "TORCH_HOME" else cache))
    said, _ = run_in_box("# A lesson", *(cell.replace("CACHE", str(cache)) for cell in IN_THE_CACHE))
    assert dict(zip(IN_THE_CACHE, said, strict=True)) == IN_THE_CACHE
    assert [path.name for path in (cache / smollm2.FOLDER).iterdir()] == ["config.json"]


def test_without_the_language_model_the_box_has_no_folder_for_it(run_in_box, tmp_path, monkeypatch):
    monkeypatch.delenv("IGTEACH_MODELS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    code = "import os; from igteach.models import smollm2; print(smollm2.find(), os.path.exists('/models'))"
    assert run_in_box("# A lesson", code) == (["None False"], [])


@pytest.mark.long
def test_the_real_language_model_loads_in_the_box_within_the_default_limits(run_in_box):
    if smollm2.find() is None:
        pytest.skip(f"{smollm2.FOLDER} is not on this machine; connect to the network once, and run: igteach fetch")
    load = "from igteach.models import smollm2; smollm2 = smollm2.load('cpu')"
    ask = "inputs = smollm2.tokenizer('The capital of France is', return_tensors='pt')"
    tell = "print(smollm2.tokenizer.decode(smollm2.model(**inputs).logits[0, -1].argmax()))"
    assert run_in_box("# A lesson", load, ask, tell) == (["", "", "Paris"], [])


@pytest.fixture
def no_bubblewrap(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    sandbox.available.cache_clear()
    yield
    sandbox.available.cache_clear()


def test_without_bubblewrap_a_kernel_starts_plainly_and_grading_says_so_loudly(no_bubblewrap, tmp_path, capsys):
    manager = sandbox.SandboxedKernelManager(kernel_name="python3")
    assert manager.transport == "tcp"
    assert "bwrap" not in manager.format_kernel_cmd()
    (tmp_path / "gradebook.db").touch()
    (tmp_path / "nbgrader_config.py").touch()
    grade(tmp_path)
    assert capsys.readouterr().err.count("*** NO SANDBOX: bubblewrap does not work here") == 2
