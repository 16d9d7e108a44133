"""The long checks: lessons run untouched, on one thread as on two, and turn red when igteach is broken."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from igteach.course.commands import NBVAL
from igteach.lessons.build import execute
from igteach.lessons.lesson import all_lessons

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
LESSONS = pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.name)


@LESSONS
def test_an_untouched_lesson_runs_to_its_end_with_every_exercise_open(lesson):
    notebook = execute(nbformat.read(lesson.learner, as_version=4), lesson)
    checks = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    shown = [cell.outputs[0]["data"]["text/plain"] for cell in checks]
    assert shown
    assert all(": open." in verdict for verdict in shown), shown


@LESSONS
def test_two_threads_give_the_outputs_that_one_gave(lesson):
    result = nbval(lesson.number, {"OMP_NUM_THREADS": "2"})
    assert result.returncode == 0, result.stdout[-3000:]


ASK_IMAGENET = [
    lesson
    for lesson in all_lessons()
    if any(name in lesson.source.read_text(encoding="utf-8") for name in ("imagenet.load", "open_gallery"))
]


@pytest.mark.parametrize("lesson", ASK_IMAGENET, ids=lambda lesson: lesson.name)
def test_without_imagenet_weights_a_lesson_says_so_and_its_stored_outputs_hold(lesson, tmp_path, monkeypatch):
    """With them: `make test`, where IGTEACH_MODELS has them."""
    monkeypatch.setenv("IGTEACH_MODELS", "")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    result = nbval(lesson.number, {})
    assert result.returncode == 0, result.stdout[-3000:]
    cells = execute(nbformat.read(lesson.learner, as_version=4), lesson).cells
    printed = "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", ()))
    assert "cannot be had" in printed
    assert "Connect to the network once, or put squeezenet1_0-b66bff10.pth" in printed


@dataclass(frozen=True)
class Break:
    """A fault put into a copy of the package, and the lesson that teaches the thing."""

    name: str
    file: str
    right: str
    wrong: str
    lesson: str


BREAKS = [
    Break("IG without x - x'", "integrated.py", ".mul_(path.velocities(starts, ends))", "", "00"),
    Break(
        "x and x' swapped",
        "integrated.py",
        "StraightPath(baseline[part], x[part])",
        "StraightPath(x[part], baseline[part])",
        "02",
    ),
    Break("weights that do not sum to 1", "quadrature.py", "1.0 / steps, dtype", "0.9 / steps, dtype", "00"),
    Break("one step only", "integrated.py", "else rule, steps)", "else rule, 1)", "02"),
    Break(
        "gradient in place of IG",
        "integrated.py",
        "chosen, nodes.view(steps, -1)",
        "chosen, 0 * nodes.view(steps, -1) + 1",
        "02",
    ),
    Break(
        "the gradient of the wrong class",
        "scores.py",
        "out.gather(1, target[:, None])",
        "out.gather(1, 0 * target[:, None])",
        "00",
    ),
    Break(
        "a gradient without its sign",
        "scores.py",
        "return value.detach(), gradient",
        "return value.detach(), gradient.abs()",
        "01",
    ),
    Break("a check that always passes", "exercises/checker.py", "if fault is None:", "if True:", "00"),
    Break("a check that finds fault with all", "exercises/checker.py", "if fault is None:", "if fault == 0:", "01"),
    Break("probabilities that are logits", "scores.py", "softmax(dim=1)", "mul(1)", "02"),
    Break("gradient x input without the baseline", "gradients.py", "share *= end - start", "share *= end", "03"),
    Break("IG without x - x', again", "integrated.py", ".mul_(path.velocities(starts, ends))", "", "04"),
    Break("an estimate that promises too much", "errors.py", "MARGIN = 1.5", "MARGIN = 0.5", "05"),
    Break("an axiom check that lets all pass", "axioms.py", "gap <= tolerance\n", "gap <= 1e9\n", "06"),
    Break("a neutrality that is off", "baselines.py", "(evenness.amax(1) - 1)", "(evenness.amax(1) - 2)", "07"),
    Break(
        "a share inside that counts all",
        "evaluate/masks.py",
        "(strength * mask).flatten(1)",
        "strength.flatten(1)",
        "08",
    ),
    Break(
        "a scene whose mask is elsewhere",
        "datasets/scenes.py",
        "torch.from_numpy(mask)",
        "torch.from_numpy(mask[:, ::-1].copy())",
        "08",
    ),
    Break("special tokens that take part", "tokens.py", "torch.where(special.to(x.device), x, ", "(0 * x + ", "09"),
    Break("a text's path from zero", "models/text.py", "(self.x - self.start)", "self.x", "09"),
    Break(
        "a folder of which the second half is nobody's", "speed/folder.py", "names[rank::count]", "names[rank::4]", "10"
    ),
    Break("sets of features that weigh alike", "beyond/shapley.py", "comb(n - 1, size)", "comb(n - 1, 1)", "11"),
    Break(
        "a guided path that seeks the steep",
        "beyond/guided.py",
        "slope <= slope.kthvalue",
        "slope >= slope.kthvalue",
        "11",
    ),
    Break("jumps whose losses are gains", "beyond/trees.py", "(leaves.left_by, -loss)", "(leaves.left_by, loss)", "11"),
    Break("deletion that begins at the wrong end", "evaluate/curves.py", "descending=True", "descending=False", "12"),
    Break("a network that forgets nothing", "evaluate/randomisation.py", ".reset_parameters()  #", ".eval()  #", "12"),
]


@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: fault.name)
def test_a_lesson_turns_red_when_the_package_is_broken(fault, tmp_path):
    shutil.copytree(ROOT / "igteach", tmp_path / "igteach")
    (tmp_path / "data").symlink_to(ROOT / "data")
    file = tmp_path / "igteach" / fault.file
    text = file.read_text()
    assert text.count(fault.right) == 1, "the code has moved on; mend this break"
    file.write_text(text.replace(fault.right, fault.wrong))
    result = nbval(fault.lesson, {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ['PYTHONPATH']}"})
    assert result.returncode == 1, result.stdout[-3000:]
    assert "Cell outputs differ" in result.stdout or "execution caused an exception" in result.stdout


def nbval(number: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    (lesson,) = all_lessons([number])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(lesson.solved), *NBVAL]
    variables = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
