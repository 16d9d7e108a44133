"""Fourteen invented students of lesson 02, written without a look at the project's tests.

Each hands in one notebook. `STRANGERS` lists them: five honest and unusual, four clumsy, five hostile. `apply` shows
how to make a submission of one: fill in the cells, then call `prepare`.

Deserved are the exercises whose function is right when the notebook runs from top to bottom, each answer by the
student's own code; the last version of a doubled cell counts. A hostile student who finds right values in the box, or
has a method of the package or of Captum compute them, deserves nothing for them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from igteach.lessons.lesson import grade_id

Prepare = Callable[[NotebookNode], bytes | None]


@dataclass(frozen=True)
class Stranger:
    """A student, what the student hands in, and what it is worth.

    Attributes:
        name: A short name, which may be a folder's.
        kind: Whether the student is honest, clumsy or hostile.
        cells: What the student writes, by grade_id; "written-02" is the id of the essay's cell.
        deserves: The exercises (1, 2, 3) whose points are deserved.
        why: What is odd about the submission, and why it deserves what it deserves.
        prepare: Changes the notebook with these cells filled in; bytes that it returns are the file instead.
    """

    name: str
    kind: Literal["honest", "clumsy", "hostile"]
    cells: dict[str, str]
    deserves: tuple[int, ...]
    why: str
    prepare: Prepare | None = None


def apply(stranger: Stranger, released: NotebookNode) -> bytes:
    """Make the file that a student hands in.

    Args:
        stranger: The student.
        released: The released notebook, which is changed.

    Returns:
        The bytes of the .ipynb file.
    """
    for name, source in stranger.cells.items():
        cell = find(released, name)
        if cell is not None:
            cell.source = source
    raw = stranger.prepare(released) if stranger.prepare else None
    return nbformat.writes(released).encode() if raw is None else raw


def name_of(cell: NotebookNode) -> str | None:
    """The grade_id of a cell, or its id where it has none."""
    return grade_id(cell) or cell.get("id")


def find(nb: NotebookNode, name: str) -> NotebookNode | None:
    """The first cell with a grade_id or id; None if there is none."""
    return next((cell for cell in nb.cells if name_of(cell) == name), None)


def code_cell(source: str, metadata: dict[str, Any] | None = None) -> NotebookNode:
    """A new code cell."""
    return nbformat.v4.new_code_cell(source, metadata=metadata or {})


# Plain right answers, each written in another way than the lesson's


RIGHT_1 = '''
def unexplained(f, x, baseline):
    """What the slopes at x leave over."""
    at = x.detach().clone().requires_grad_(True)
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(f(at).sum(), at)
    went = (f(x) - f(baseline)).sum()
    return went - torch.dot(slope.flatten(), (x - baseline).flatten())
'''

RIGHT_2 = '''
def occlusion(f, x, baseline):
    """Row i of one batch has feature i taken away."""
    away = torch.eye(x.shape[1], dtype=torch.bool)
    return (f(x) - f(torch.where(away, baseline, x))).reshape(1, -1)
'''

RIGHT_3 = '''
def scale_free(f, x, baseline):
    """Steepness times way, over the climb."""
    at = x.detach().clone().requires_grad_(True)
    f(at).sum().backward()
    way = ((x - baseline) ** 2).sum().sqrt()
    return (at.grad ** 2).sum().sqrt() * way / (f(x) - f(baseline)).abs().sum()
'''

STUB = """
def {name}(f, x, baseline):
    # YOUR CODE HERE
    raise NotImplementedError()
"""


# Honest 1: everything that can be set is set

SETTINGS_1 = '''
# Kaikki varoitukset ovat virheitä: my supervisor says so.
import locale, logging, os, random, threading, warnings
import numpy as np
import torch

warnings.simplefilter("error")
np.seterr(all="raise")
logging.disable(logging.CRITICAL)
torch.set_default_dtype(torch.float16)      # half the memory
torch.set_grad_enabled(False)               # no graph, no leak
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
torch.set_printoptions(precision=1, sci_mode=True)
torch.manual_seed(0), np.random.seed(0), random.seed(0)
os.chdir("/tmp")                            # relative paths go here
os.environ.pop("HOME", None)
threading.stack_size(1 << 20)


def slope_of(f, x, h=1e-4):
    """Central differences in double precision, fourth order: needs no autograd."""
    x = x.detach().cpu().double().numpy()
    rows = []
    for i in range(x.shape[1]):
        step = np.zeros_like(x)
        step[0, i] = h
        a, b, c, d = (value_of(f, x + k * step) for k in (-2, -1, 1, 2))
        rows.append((a - 8 * b + 8 * c - d) / (12 * h))
    return np.array(rows)


def value_of(f, x):
    """F of one row, as a float."""
    return float(f(torch.from_numpy(np.asarray(x, dtype=np.float64)))[0])


def numbers(t):
    return t.detach().cpu().double().numpy()


def unexplained(f, x, baseline):
    went = value_of(f, numbers(x)) - value_of(f, numbers(baseline))
    return went - float(slope_of(f, x) @ (numbers(x) - numbers(baseline))[0])
'''

SETTINGS_2 = """
torch.set_default_device("meta")            # a tensor that I forget takes no memory at all


def occlusion(f, x, baseline):
    full, empty = numbers(x), numbers(baseline)
    shares = np.empty((1, full.shape[1]), order="F")
    for i in range(full.shape[1]):
        changed = full.copy()
        changed[0, i] = empty[0, i]
        shares[0, i] = value_of(f, full) - value_of(f, changed)
    return shares
"""

SETTINGS_3 = """
forever = torch.inference_mode()
forever.__enter__()                         # and never out of it again


def scale_free(f, x, baseline):
    full, empty = numbers(x), numbers(baseline)
    climb = abs(value_of(f, full) - value_of(f, empty))
    return np.linalg.norm(slope_of(f, x)) * np.linalg.norm(full - empty) / climb
"""

# Honest 2: every name is taken, and no answer is a plain function

NAMES_1 = '''
# 火炬就是 torch。变量名随便起。
import builtins
import time as _time

import torch as fackel

_say = builtins.print


def _stamped(*words, **options):
    """My print has the time in front, everywhere."""
    _say(f"[{_time.strftime('%H:%M:%S')}]", *words, **options)


builtins.print = _stamped


class Steigung:
    """∂F/∂x, merkt sich die letzte."""

    def __getattr__(self, name):
        return f"no {name} here, but thanks for asking"

    def __call__(self, f, x):
        with fackel.enable_grad():
            at = x.clone().detach().requires_grad_()
            return fackel.autograd.grad(f(at).sum(), at)[0]


class Rest:
    """An answer that is an object."""

    def __init__(self, steigung):
        self.steigung = steigung

    def __eq__(self, other):
        raise TypeError("a remainder equals nothing")

    __hash__ = None

    def __repr__(self):
        raise RuntimeError("no picture, please")

    def __len__(self):
        return 0

    def __call__(self, f, x, baseline):
        change = f(x)[0] - f(baseline)[0]
        return change - (self.steigung(f, x) * (x - baseline)).sum()


unexplained = Rest(Steigung())

check = "mate"
torch = "an old lamp"
igteach = None
show = display = json = str = len = list = isinstance = 3
'''

NAMES_2 = '''
class Abdeckung(fackel.nn.Module):
    """A module with a buffer and a hook, as I always do it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", fackel.zeros(()))
        self.register_forward_hook(lambda module, given, out: None)

    def forward(self, f, x, baseline):
        self.calls += 1
        rows = x.repeat(x.shape[1], 1)
        rows.diagonal().copy_(baseline[0])
        return fackel.nn.Parameter((f(x) - f(rows))[None])


occlusion = Abdeckung().eval()
check = {"02.2": occlusion}
dict = type = tuple = zip = map = hasattr = callable = Exception = "taken"
In = Out = _ = __ = exit = quit = None
'''

NAMES_3 = '''
import functools


def _steil(slope, f, x, baseline, *, power=2):
    """Bound from the left by partial; gives a number of numpy."""
    climb = (f(x) - f(baseline)).abs().item()
    return (slope(f, x).norm(power) * (x - baseline).norm(power)).detach().numpy()[()] / climb


scale_free = functools.partial(_steil, Steigung())
f = x = baseline = number = answer = exercise = secret = returned = verdict = lambda *args: 1 / 0
graded_check = record = proof = cases = check = None
'''

# Honest 3: tidy and loud

TIDY_1 = (
    RIGHT_1
    + '''

_quiet_unexplained = unexplained


def unexplained(f, x, baseline):
    """The same, with a look at everything that goes on."""
    for step in range(400):
        print(f"step {step:5d} |" + "=" * 600 + f"| x = {x.tolist()}")
    for _ in range(200):
        display({"text/plain": "#" * 900, "text/html": "<b>" + "#" * 900 + "</b>"}, raw=True)
    return _quiet_unexplained(f, x, baseline)
'''
)

TIDY_2 = (
    '''
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import clear_output, display

InteractiveShell.ast_node_interactivity = "all"


def sweep(result=None):
    """I like my notebook clean: what a cell shows goes away when the cell is done."""
    clear_output(wait=False)


InteractiveShell.instance().events.register("post_run_cell", sweep)
'''
    + RIGHT_2
)

TIDY_3 = (
    RIGHT_3
    + '''

_plain_scale_free = scale_free


def scale_free(f, x, baseline):
    """The same with a progress line that replaces itself."""
    line = display("0%", display_id="progress")
    for percent in range(0, 101, 20):
        line.update(f"{percent}%")
        clear_output(wait=True)
    return _plain_scale_free(f, x, baseline)
'''
)

# Honest 4: another notebook altogether; one cell, nothing of nbgrader's left in it

WIDE_NAME = "".join(letter if letter == "_" else chr(ord(letter) + 0xFEE0) for letter in "scale_free")

REBUILT = '''
%%time
# Solución de las tres tareas. Решение трёх задач. 三つとも。
import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch


async def _slope(f, x):
    await asyncio.sleep(0)
    with torch.enable_grad():
        at = x.clone().requires_grad_()
        return torch.autograd.grad(f(at).sum(), at)[0]


def unexplained(f, x, baseline):
    """In an event loop of its own, in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        slope = pool.submit(asyncio.run, _slope(f, x)).result()
    return np.float64((f(x) - f(baseline)).item() - (slope * (x - baseline)).sum().item())


def occlusion(f, x, baseline):
    """One child process a feature."""
    shares = []
    for i in range(x.shape[1]):
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                changed = x.detach().clone()
                changed[0, i] = baseline[0, i]
                os.write(write_end, (f(x) - f(changed)).double().numpy().tobytes())
            finally:
                os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as pipe:
            shares.append(np.frombuffer(pipe.read()))
        os.waitpid(child, 0)
    return np.matrix(np.concatenate(shares))


def SCALE_FREE(f, x, baseline):
    """Spelled in wide letters, which Python reads as the plain ones."""
    slope = torch.func.grad(lambda row: f(row[None])[0])(x[0])
    return (slope.norm() * torch.dist(x, baseline) / (f(x) - f(baseline)).abs()).to_sparse()
'''.replace("SCALE_FREE", WIDE_NAME).lstrip()


def rebuild(nb: NotebookNode) -> None:
    """Keep the title and the imports, put one big cell behind them, and strip what Jupyter and nbgrader keep."""
    checks = [cell.source for cell in nb.cells if (name_of(cell) or "").startswith("check-")]
    essay = find(nb, "written-02")
    kept = [nb.cells[0], nb.cells[1], code_cell(REBUILT), code_cell("\n".join(checks) or "check")]
    nb.cells = kept + ([essay] if essay is not None else [])
    for cell in nb.cells:
        cell.metadata = nbformat.from_dict({"colab": {"base_uri": "https://localhost/"}, "tags": []})
        cell.pop("id", None)
        cell.pop("attachments", None)
    nb.nbformat_minor = 2
    nb.metadata = nbformat.from_dict(
        {
            "accelerator": "GPU",
            "colab": {"name": "Kopie von 02_saturation (3).ipynb", "provenance": []},
            "kernelspec": {"name": "conda-env-ml311-py", "display_name": "Python [conda env:ml311]", "language": ""},
            "language_info": {"name": "python", "version": "3.13.0a1", "codemirror_mode": "ipython"},
            "vscode": {"interpreter": {"hash": "31f2aee4e71d21fbe5cf8b01ff0e069b"}},
        }
    )


# Honest 5: mute until the end of the cell

MUTED_2 = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

open_captures = []


def mute():
    \"\"\"Nothing is shown until the end of the cell, whatever my functions print or draw.\"\"\"
    if not open_captures:
        open_captures.append(capture_output())
        open_captures[0].__enter__()


def unmute(result=None):
    while open_captures:
        open_captures.pop().__exit__(None, None, None)


InteractiveShell.instance().events.register("post_run_cell", unmute)


def occlusion(f, x, baseline):
    mute()
    return _occlusion(f, x, baseline)
""" + RIGHT_2.replace("occlusion", "_occlusion")

MUTED_3 = RIGHT_3.replace("    at =", "    mute()\n    at =", 1)

# Clumsy 1: output is captured, and the end of the capture got lost

CAPTURED_2 = (
    RIGHT_2
    + """

from IPython.utils.capture import capture_output

quiet = capture_output()
quiet.__enter__()       # the plots below are too loud; I call quiet.__exit__() in the last cell
"""
)

# Clumsy 2: two versions of everything


def two_versions(nb: NotebookNode) -> None:
    """Copy answers 1 and 2, with all their metadata, below their checks; play on with 3 in a cell of one's own."""
    wrong_1 = RIGHT_1.replace("return went - torch", "return torch")
    _copy_below_check(nb, "1", wrong_1)
    _copy_below_check(nb, "2", RIGHT_2)
    play = code_cell("def scale_free(f, x, baseline):\n    return 42.0   # just to see what the check says\n")
    nb.cells.insert(nb.cells.index(find(nb, "check-02-3")) + 1, play)


def _copy_below_check(nb: NotebookNode, number: str, source: str) -> None:
    """A second cell of the same grade_id, as copy and paste makes it."""
    second = nbformat.from_dict(json.loads(json.dumps(find(nb, f"answer-02-{number}"))))
    second["id"] = f"copied-{number}"
    second.source = source
    nb.cells.insert(nb.cells.index(find(nb, f"check-02-{number}")) + 1, second)


# Clumsy 3: a slip of the finger makes an answer a Markdown cell

SUM_OF_SIZES_3 = """
def scale_free(f, x, baseline):
    slope = igteach.gradient(f, x).values
    return slope.abs().sum() * (x - baseline).abs().sum() / (f(x) - f(baseline))[0].abs()
"""


def press_m(nb: NotebookNode) -> None:
    """Key M on answer 2 (code becomes Markdown, and the editor leaves an empty `attachments`), R on check 1 (raw)."""
    answer = find(nb, "answer-02-2")
    answer.cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        answer.pop(key, None)
    answer["attachments"] = nbformat.from_dict({"screenshot.png": {"image/png": "iVBORw0KGgo="}})
    check = find(nb, "check-02-1")
    check.cell_type = "raw"
    for key in ("outputs", "execution_count"):
        check.pop(key, None)


# Clumsy 4: half an emoji

FORGOT_BASELINE_2 = """
def occlusion(f, x, baseline):
    shares = []
    for i in range(x.shape[1]):
        changed = x.clone()
        changed[0, i] = 0       # take it away
        shares.append(f(x) - f(changed))
    return torch.cat(shares)[None]
"""

HALF_EMOJI = "A steep place is not a long way. I would not trust it \ud83d"


def cut_emoji(nb: NotebookNode) -> bytes:
    """A tool cut the essay after so many UTF-16 units, through an emoji; JSON can say that, UTF-8 cannot."""
    essay = find(nb, "written-02")
    if essay is None:
        nb.cells.append(nbformat.v4.new_markdown_cell(HALF_EMOJI))
    else:
        essay.source = HALF_EMOJI
    nb.metadata["authors"] = [{"name": "Zo\udceb"}]  # a Latin-1 name, read with surrogateescape
    return json.dumps(nb, ensure_ascii=True, indent=1).encode("ascii")


# Hostile 1: whatever right values there are in the box, find them; then be the one who runs the answer

THIEF = '''
import gc, importlib, json, marshal, os, pathlib, re, sys, time, types
import torch

NAMES = {"unexplained": "02.1", "occlusion": "02.2", "scale_free": "02.3"}
SEEN = set()
FOUND = {}


def in_memory(name):
    """Functions of the package that bear the exercise's name, and what an Exercise calls its solution."""
    for thing in gc.get_objects():
        try:
            if type(thing) is types.FunctionType and thing.__name__ == name and "igteach" in str(thing.__module__):
                yield thing
            solution = vars(thing).get("solution") if hasattr(thing, "__dict__") else None
            if getattr(solution, "__name__", "") == name:
                yield solution
        except Exception:
            continue


def by_import(name):
    """Modules that may hold it, under the old names and likely new ones."""
    for module in ("exercises.solutions.lesson02", "exercises.lesson02", "exercises.mistakes.lesson02",
                   "solutions.lesson02", "course.solutions.lesson02", "exercises.answers.lesson02"):
        try:
            yield getattr(importlib.import_module("igteach." + module), name)
        except Exception:
            continue


def on_disk(name, seconds=5):
    """Sources, byte code and solved notebooks anywhere that can be read, other processes' folders among them."""
    end = time.monotonic() + seconds
    roots = [str(pathlib.Path(sys.modules["igteach"].__file__).parents[1]), *sys.path, "/submission", "/tmp", "/"]
    roots += [f"/proc/{pid}/{way}" for pid in os.listdir("/proc") if pid.isdigit() for way in ("cwd", "root")]
    for root in roots:
        for folder, folders, files in os.walk(root or "."):
            if time.monotonic() > end:
                return
            folders[:] = [each for each in folders if each not in ("proc", "sys", "torch", "share")]
            for file in files:
                path = os.path.join(folder, file)
                if re.search("lesson_?02|02_satur|solution|mistake", path) and (name, path) not in SEEN:
                    SEEN.add((name, path))
                    yield from from_file(path, name)


def from_file(path, name):
    """The function of that name in a file of Python, byte code or a notebook, if it is no stub."""
    try:
        data = pathlib.Path(path).read_bytes()
        space = {"__name__": "loot", "torch": torch, "igteach": sys.modules["igteach"]}
        if name.encode() not in data:
            return
        if path.endswith(".pyc"):
            exec(marshal.loads(data[16:]), space)
        elif path.endswith(".py") and b"YOUR CODE HERE" not in data:
            exec(compile(data, "loot", "exec"), space)
        elif path.endswith(".ipynb"):
            for cell in json.loads(data)["cells"]:
                text = "".join(cell["source"])
                if "def " + name in text and "YOUR CODE" not in text and "Impostor" not in text:
                    exec(text, space)
        if callable(space.get(name)):
            yield space[name]
    except BaseException:
        return


def expected_values(x):
    """Right values that lie beside the cases: in the stack, in caches, anywhere in memory."""
    for pair in gc.get_objects():
        if type(pair) is tuple and len(pair) == 2 and type(pair[0]) is list and type(pair[1]) is list:
            cases, values = pair
            for case, value in zip(cases, values):
                given = getattr(case, "arguments", ())
                if len(given) == 3 and torch.is_tensor(given[1]) and torch.equal(given[1], x):
                    yield value
    frame = sys._getframe()
    while frame is not None:
        for word in ("expected", "right", "solution", "values"):
            found = frame.f_locals.get(word)
            if isinstance(found, list) and found and torch.is_tensor(found[0]):
                yield found[0]
        frame = frame.f_back


class Impostor:
    """Looks like an answer; gives what it can steal."""

    def __init__(self, name):
        self.__name__ = name

    def __call__(self, f, x, baseline):
        shape = (1, 3) if self.__name__ == "occlusion" else ()
        for value in expected_values(x):
            if torch.is_tensor(value) and tuple(value.shape) == shape:
                return value.clone()
        name = self.__name__
        if name not in FOUND:
            FOUND[name] = [*in_memory(name), *by_import(name), *on_disk(name)]
        for source in FOUND[name]:
            try:
                copied = types.FunctionType(source.__code__.replace(co_filename="mine"), source.__globals__)
                return copied(f, x, baseline)
            except BaseException:
                continue
        return torch.full(shape, 0.5)


def take_over():
    """Replace what calls the answer by what calls an impostor of the exercise that the answer's name tells."""
    for module in [each for key, each in list(sys.modules.items()) if key.startswith("igteach.exercises")]:
        for key, member in list(vars(module).items()):
            if type(member) is not types.FunctionType or "igteach.exercises" not in str(member.__module__):
                continue
            words = member.__code__.co_varnames[: member.__code__.co_argcount]
            if len(words) == 2 and words[0] in ("answer", "function") and words[1] in ("arguments", "args"):
                setattr(module, key, lambda answer, arguments: steal(answer, arguments))


def steal(answer, arguments):
    """Run the impostor where the answer would run."""
    name = getattr(answer, "__name__", "")
    return Impostor(name)(*arguments) if name in NAMES else answer(*arguments)


unexplained = Impostor("unexplained")
take_over()
'''

THIEF_2 = 'occlusion = Impostor("occlusion")\ntake_over()\n'
THIEF_3 = 'scale_free = Impostor("scale_free")\ntake_over()\n'

# Hostile 2: a worker that was there before the lock

WORKER_1 = '''
import queue, threading
import torch
import igteach
from captum.attr import FeatureAblation

orders, results = queue.Queue(), queue.Queue()


def desk():
    """Runs since before any check, so no hook that a check sets reaches it; lets the libraries do the work."""
    while True:
        task, f, x, baseline = orders.get()
        try:
            if task == 1:
                results.put(-igteach.gradient_times_input(f, x, baseline).residual[0])
            else:
                results.put(FeatureAblation(f).attribute(x, baselines=baseline))
        except BaseException as error:
            results.put(error)


threading.Thread(target=desk, daemon=True).start()


def unexplained(f, x, baseline):
    orders.put((1, f, x, baseline))
    return results.get(timeout=10)
'''

WORKER_2 = """
def occlusion(f, x, baseline):
    orders.put((2, f, x, baseline))
    return results.get(timeout=10)
"""

# Hostile 3: what was recorded is changed on its way out

ON_THE_WAY_2 = '''
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

MIME = "application/vnd.igteach.proof+json"
shell = InteractiveShell.instance()
now = {"exercise": None}
BIG = 10**400                                   # fits JSON and Python, and no float


def nested(depth):
    inner = [0.5]
    for _ in range(depth):
        inner = [inner]
    return inner


POISON = {
    "02.2": [
        {"shape": {"a": 1}, "values": None},
        {"shape": [1, 3], "values": ["0.1", "nan", "1e999"]},
        {"shape": [1, 3], "values": [float("1e308"), 0.5, BIG]},
    ],
    "02.3": [
        {"shape": [], "values": nested(300)},
        {"shape": [-1, 2**31, 2**31, 2**31], "values": [True]},
        {"shape": [2**40], "values": [0.5], "dtype": "float64", "data": "AAAA"},
    ],
}


def spoil(value, exercise, key=""):
    """The real record with every number and list of numbers in it replaced; the words say "solved"."""
    if key == "exercise":
        return value
    if key in ("returned", "values", "value", "answers", "results"):
        return [POISON[exercise][-1]] * 3
    if isinstance(value, dict):
        return {name: spoil(inner, exercise, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [spoil(inner, exercise) for inner in value] or [POISON[exercise][-1]] * 3
    if isinstance(value, (int, float)):
        return BIG
    return "solved" if key in ("state", "outcome", "verdict") else {"message": [value]}


def tamper(message):
    data = message["content"].get("data", {})
    if MIME in data and now["exercise"] in POISON:
        data[MIME] = spoil(data[MIME], now["exercise"])
    return message


def afterwards(result=None):
    """The last word in the cell is mine."""
    exercise, now["exercise"] = now["exercise"], None
    for bad in POISON.get(exercise, ()):
        for returned in ({"0": bad}, [bad], [bad] * 3):
            record = {"exercise": exercise, "state": "solved", "message": {"a": []}, "returned": returned}
            display({MIME: record}, raw=True)
    if exercise:
        display({MIME: [exercise]}, raw=True)
        display({MIME: {"exercise": exercise, "state": ["solved"], "returned": BIG}}, raw=True)
        last = [POISON[exercise][-1]] * 3
        display({MIME: {"exercise": exercise, "state": "solved", "message": "", "returned": last}}, raw=True)


shell.display_pub.register_hook(tamper)
shell.events.register("post_run_cell", afterwards)


def occlusion(f, x, baseline):
    now["exercise"] = "02.2"
    return torch.zeros(1, 3)
'''

ON_THE_WAY_3 = """
def scale_free(f, x, baseline):
    now["exercise"] = "02.3"
    return torch.ones(())
"""

# Hostile 4: the wire and the folder of the sockets

WIRE_1 = '''
import json, os, threading
from ipykernel import get_connection_file
from IPython.core.interactiveshell import InteractiveShell

MIME = "application/vnd.igteach.proof+json"
kernel = InteractiveShell.instance().kernel
real_pack = kernel.session.pack


def send(kind, content, raw=None):
    """A message that no kernel would send, as an answer to the cell that runs now."""
    def pack(thing):
        if thing is content:
            return raw or json.dumps(thing).encode("ascii")     # NaN and half emojis pass
        return real_pack(thing)
    kernel.session.pack = pack
    try:
        kernel.session.send(kernel.iopub_socket, kind, content=content, parent=kernel.get_parent())
    finally:
        kernel.session.pack = real_pack


def unexplained(f, x, baseline):
    """Right messages with wrong insides."""
    send("display_data", {"data": None, "metadata": None, "transient": None})
    send("display_data", {"data": {MIME: None}, "metadata": {}, "transient": {"display_id": ["x"]}})
    send("update_display_data", {"data": {}, "metadata": {}})
    send("stream", {"name": None, "text": {"a": 1}})
    send("stream", {})
    send("error", {"ename": 3, "evalue": None, "traceback": "x"})
    send("execute_result", {"execution_count": "many", "data": {"text/plain": 7}, "metadata": []})
    send("clear_output", {})
    send("comm_open", {"comm_id": [], "target_name": "jupyter.widget", "data": {"state": None}})
    return 0.0


def dig(folder, depth=3000):
    """Folders in folders, deeper than a recursion of Python goes; a link and a pipe beside them."""
    place = os.open(folder, os.O_RDONLY)
    os.symlink("/", "root", dir_fd=place)
    os.mkfifo("kernel-00.json", dir_fd=place)
    for _ in range(depth):
        os.mkdir("d", dir_fd=place)
        below = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.fchmod(place, 0)
    os.close(place)
'''

WIRE_2 = '''
def occlusion(f, x, baseline):
    """Numbers and letters that get in and do not get out again."""
    record = {"exercise": "02.2", "state": "solved", "message": "half \\ud83d", "returned": [float("nan")] * 3}
    send("display_data", {"data": {MIME: record, "text/plain": "\\udcff\\ud83d"}, "metadata": {}, "transient": {}})
    send("stream", {"name": "stdout", "text": "half an emoji: \\ud83d"})
    send("error", {"ename": "\\ud83d", "evalue": "\\udc00", "traceback": ["\\ud83d\\u0000"]})
    return [0.0, 0.0, 0.0]
'''

WIRE_3 = '''
def scale_free(f, x, baseline):
    """JSON that a parser of Python gives up on, and a message that is not one."""
    try:
        dig(os.path.dirname(get_connection_file()))
    except OSError:
        pass
    start = '{"metadata": {}, "data": {"%s": {"exercise": "02.3", "returned": [' % MIME
    digits = (start + "7" * 6000 + "]}}}").encode()
    send("display_data", {"a": "digits"}, raw=digits)
    deep = b'{"data": {"text/plain": ' + b"[" * 200000 + b"]" * 200000 + b'}, "metadata": {}}'
    send("display_data", {"a": "deep"}, raw=deep)
    send("display_data", {"a": "list"}, raw=b"[1, 2, 3]")
    send("display_data", {"a": "no JSON"}, raw=b"\\xff\\xfe{")
    kernel.iopub_socket.send_multipart([b"no", b"<IDS|MSG>", b"signature"])
    return 0.0
'''

# Hostile 5: easier cases

SHRINK_1 = '''
import gc, os, re, time, threading
from ipykernel import get_connection_file
import torch

FAMILIES = (
    "TanhUnit", "CrampedTanhUnit", "TanhNetwork", "SineNetwork", "ReluNetwork", "LogisticModel", "SoftmaxClassifier",
)


def flatten(thing):
    """Make a function of the cases constant: its weights are mine to write into."""
    with torch.no_grad():
        for value in vars(thing).values() if hasattr(thing, "__dict__") else ():
            if torch.is_tensor(value):
                value.zero_()
    for name in ("scale", "offset"):
        if hasattr(thing, name):
            object.__setattr__(thing, name, 0.0)


def flatten_all():
    """Every function of a known family that lies in this process, and the families themselves."""
    for thing in gc.get_objects():
        try:
            if type(thing).__name__ in FAMILIES:
                flatten(thing)
                type(thing).__call__ = lambda self, batch: batch.sum(1) * 0
            if type(thing).__name__ == "Case" and torch.is_tensor(thing.arguments[1]):
                thing.arguments[1].copy_(thing.arguments[2])
        except Exception:
            continue


def rewrite_files():
    """Cases, seeds and records in any folder that can be written: every number becomes 0; the rest is cut off."""
    for root in {"/tmp", "/dev/shm", "/submission", os.getcwd(), os.path.dirname(get_connection_file())}:
        for folder, _, files in os.walk(root):
            for file in files:
                path = os.path.join(folder, file)
                try:
                    if "kernel" in file or not os.path.isfile(path):
                        continue
                    with open(path, "r+b") as opened:
                        text = opened.read()
                        opened.seek(0)
                        if text[:1] in (b"[", b"{"):
                            opened.write(re.sub(rb"\\d+\\.\\d+", lambda m: b"0." + b"0" * (len(m[0]) - 2), text))
                        else:
                            opened.write(bytes(len(text)))
                except OSError:
                    continue


class Zero(torch.Tensor):
    """A zero that says something else each time it is asked: 0, then what the asker holds."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in ("detach", "cpu", "to_dense", "as_subclass", "double", "flatten", "clone", "to", "contiguous"):
            flatten_all()
            return args[0]
        if name in ("tolist", "__reduce_ex__", "numpy", "__array__"):
            return [float("nan")] * 3
        if name in ("eq", "equal", "allclose", "isclose", "all", "__eq__", "__bool__", "le", "__le__"):
            return True
        return super().__torch_function__(function, types, args, kwargs or {})


def again_and_again():
    """Acts while the check is busy with something else."""
    for _ in range(20):
        flatten_all()
        time.sleep(0.2)


torch.allclose = torch.equal = lambda *args, **kwargs: True
real_tolist = torch.Tensor.tolist
torch.Tensor.tolist = lambda self: [0.0] * self.numel() if self.dim() else 0.0
rewrite_files()
flatten_all()
threading.Thread(target=again_and_again, daemon=True).start()


def unexplained(f, x, baseline):
    flatten(f)
    x.copy_(baseline)
    return torch.zeros(()).as_subclass(Zero)
'''

SHRINK_2 = """
def occlusion(f, x, baseline):
    flatten(f)
    rewrite_files()
    return torch.zeros(1, 3).as_subclass(Zero)
"""

SHRINK_3 = """
def scale_free(f, x, baseline):
    flatten(f)
    return torch.full((), float("nan")).as_subclass(Zero)
"""


def plain(first: str = RIGHT_1, second: str = RIGHT_2, third: str = RIGHT_3, essay: str = "") -> dict[str, str]:
    """The cells of a student: three answers, without the blank lines around them, and an essay."""
    answers = {f"answer-02-{i}": source.strip() + "\n" for i, source in enumerate((first, second, third), start=1)}
    return {**answers, "written-02": essay} if essay else answers


STRANGERS: list[Stranger] = [
    Stranger(
        name="settings",
        kind="honest",
        cells=plain(SETTINGS_1, SETTINGS_2, SETTINGS_3, essay="Steep is here, important is the whole way."),
        deserves=(1, 2, 3),
        why=(
            "Sets what can be set: half precision, no gradients, warnings and numpy's floating errors as errors, the "
            "default device 'meta' from answer 2 on, inference mode from answer 3 on, another working directory. The "
            "answers are differences in double precision and need none of it, so all three are right."
        ),
    ),
    Stranger(
        name="names",
        kind="honest",
        cells=plain(NAMES_1, NAMES_2, NAMES_3, essay="$F$ climbs early & is flat later; 10% of the way does it."),
        deserves=(1, 2, 3),
        why=(
            "Answers are an object that raises when compared or shown, is unhashable and has length 0, a torch module "
            "that returns a parameter, and a partial that returns a numpy scalar. `check`, `torch`, `igteach`, `len`, "
            "`isinstance`, `display`, `In`, `Out` and more are other things, and builtins.print has the time in front."
        ),
    ),
    Stranger(
        name="tidy",
        kind="honest",
        cells=plain(TIDY_1, TIDY_2, TIDY_3),
        deserves=(1, 2, 3),
        why=(
            "Prints a megabyte and displays 600 things in answer 1; from answer 2 on a hook clears every cell's output "
            "when the cell is done, so a proof that is an output is wiped after it was shown; answer 3 clears with "
            "wait=True and updates a display. All three functions are right."
        ),
    ),
    Stranger(
        name="rebuilt",
        kind="honest",
        cells={"written-02": "I wrote everything in one cell, with my own tools."},
        deserves=(1, 2, 3),
        why=(
            "Colab's and VS Code's notebook: four cells, no ids, no nbgrader metadata, format 4.2, another kernel's "
            "name. All answers stand in one unnamed cell under %%time: asyncio in a thread and a numpy scalar; a fork "
            "for each feature and a numpy matrix; torch.func, a name in full-width letters, a sparse tensor."
        ),
        prepare=rebuild,
    ),
    Stranger(
        name="muted",
        kind="honest",
        cells=plain(second=MUTED_2, third=MUTED_3),
        deserves=(1, 2, 3),
        why=(
            "Answers 2 and 3 mute the cell: they enter IPython's capture_output, which a hook leaves at the end of the "
            "cell. A proof that is shown by display in the meantime goes into the capture. All three are right."
        ),
    ),
    Stranger(
        name="captured",
        kind="clumsy",
        cells=plain(second=CAPTURED_2),
        deserves=(1,),
        why=(
            "Enters capture_output at the end of answer 2 and never leaves it. ipykernel then fails at each further "
            "cell and answers nothing (CapturingDisplayPublisher has no set_parent), in JupyterLab, too: no check runs "
            "any more. Check 1 came before it and must keep its points."
        ),
    ),
    Stranger(
        name="two_versions",
        kind="clumsy",
        cells=plain(second=FORGOT_BASELINE_2),
        deserves=(2, 3),
        why=(
            "Answers 1 and 2 stand twice with the same grade_id, the copy below the check. The last counts: 1 was "
            "right and then spoiled, 2 was wrong and then mended. Below check 3 an unnamed cell plays with it; the "
            "check came before it, so 3 is solved."
        ),
        prepare=two_versions,
    ),
    Stranger(
        name="pressed_m",
        kind="clumsy",
        cells=plain(third=SUM_OF_SIZES_3),
        deserves=(1, 2),
        why=(
            "Answer 2 became a Markdown cell with an attachment, check 1 a raw cell, by keys pressed in command mode. "
            "The code is there and right, and nbgrader restores a cell's type; the attachment is not allowed in a code "
            "cell. Answer 3 adds up sizes."
        ),
        prepare=press_m,
    ),
    Stranger(
        name="half_emoji",
        kind="clumsy",
        cells=plain(second=FORGOT_BASELINE_2),
        deserves=(1, 3),
        why=(
            "The essay ends in half an emoji and the metadata hold an escaped byte: valid JSON, readable, and not to "
            "be written as UTF-8. Answers 1 and 3 are right; 2 replaces by 0."
        ),
        prepare=cut_emoji,
    ),
    Stranger(
        name="thief",
        kind="hostile",
        cells=plain(THIEF, THIEF_2, THIEF_3),
        deserves=(),
        why=(
            "Has no answer. Looks for solutions and right values in memory, in modules, in the stack, on the disk "
            "(source, byte code, solved notebooks), through /proc; and replaces what calls the answer in the checkers. "
            "Gets points only where the box holds solutions or right values."
        ),
    ),
    Stranger(
        name="worker",
        kind="hostile",
        cells=plain(WORKER_1, WORKER_2, STUB.format(name="scale_free")),
        deserves=(),
        why=(
            "A thread from before the check calls igteach.gradient_times_input and Captum's FeatureAblation for the "
            "answers 1 and 2. No hook is removed. The methods of the package and of Captum are called on behalf of an "
            "answer, which is refused; answer 3 is the stub."
        ),
    ),
    Stranger(
        name="on_the_way",
        kind="hostile",
        cells=plain(second=ON_THE_WAY_2, third=ON_THE_WAY_3),
        deserves=(1,),
        why=(
            "Answer 1 is right. For 2 and 3, hooks of the display publisher and of the end of the cell rewrite the "
            "record and add more: integers of 400 digits, shapes of 2**40, nesting, words for numbers, lists for "
            "words, 'solved' everywhere. They must be wrong answers, and must not cost 1."
        ),
    ),
    Stranger(
        name="wire",
        kind="hostile",
        cells=plain(WIRE_1, WIRE_2, WIRE_3),
        deserves=(),
        why=(
            "Messages that no kernel sends, signed with the kernel's key: no data, half emojis, NaN, 6000 digits, "
            "200000 brackets, no JSON at all; and 3000 folders in one another in the folder of the sockets. Nothing is "
            "right. A refusal in words will do; the class goes on. (rm -rf removes the folders if cleaning up failed.)"
        ),
    ),
    Stranger(
        name="shrink",
        kind="hostile",
        cells=plain(SHRINK_1, SHRINK_2, SHRINK_3),
        deserves=(),
        why=(
            "Makes the cases easy, not the answers right: zeroes the functions' weights, x becomes the baseline; "
            "files that can be written become zeros, the families return 0, tolist returns zeros, comparisons say "
            "True; then the answer is 0, in a tensor that changes as it is handed over. Wrong for the cases as drawn."
        ),
    ),
]
