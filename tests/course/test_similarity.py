"""Answers compared with each other: what a disguise hides, what is listed first, and what hostile files can do."""

import ast
import csv
import json
import os
import re
import shutil

import nbformat
import pytest

from igteach.course.answers import answers_in
from igteach.course.commands import main
from igteach.course.normal_form import LONGEST_FORM, LONGEST_SOURCE, normal_form
from igteach.course.similarity import LEAST_LIKENESS, likenesses
from igteach.course.similarity_page import similar
from igteach.lessons.lesson import all_lessons

LESSON = all_lessons(["04"])[0]
ASSIGNMENT = f"{LESSON.name}-1a2b3c"
SOLUTIONS = {number: source for lesson in all_lessons() for number, source in answers_in(lesson.read()).items()}
STUBS = {
    number: source
    for lesson in all_lessons()
    for number, source in answers_in(nbformat.read(lesson.learner, as_version=4)).items()
}
LOOP = """def walk(f, stops):
    total = 0
    for a, b in zip(stops[:-1], stops[1:]):
        middle = ((a + b) / 2)[None]
        total = total + (igteach.gradient(f, middle).values[0] * (b - a)).sum()
    return total"""
OTHERS = [  # written without a look at the solution
    LOOP,
    """def walk(f, stops):
    n = len(stops) - 1
    return sum(
        torch.dot(igteach.gradient(f, stops[i : i + 2].mean(0, keepdim=True)).values[0], stops[i + 1] - stops[i])
        for i in range(n)
    )""",
    """def walk(f, stops):
    deltas = torch.diff(stops, dim=0)
    slopes = igteach.gradient(f, stops[:-1] + deltas / 2).values
    return torch.sum(slopes * deltas)""",
    """def walk(f, stops):
    answer = torch.tensor(0.0)
    k = 0
    while k + 1 < stops.shape[0]:
        here, there = stops[k : k + 1], stops[k + 1 : k + 2]
        g = igteach.gradient(f, here + 0.5 * (there - here)).values
        answer += (g @ (there - here).T).squeeze()
        k += 1
    return answer""",
]


def disguised(source):
    """The same program: other names, comments, docstrings, annotations, blank lines and spaces."""
    lines = source.splitlines()
    tree = ast.parse(source)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    places = [(node.lineno, node.col_offset, node.id) for node in ast.walk(tree) if isinstance(node, ast.Name)]
    places += [(node.lineno, node.col_offset, node.arg) for node in ast.walk(tree) if isinstance(node, ast.arg)]
    for line, column, name in sorted(places, reverse=True):
        if name in bound:
            text = lines[line - 1]
            assert text[column:].startswith(name)
            lines[line - 1] = f"{text[:column]}other_{name}{text[column + len(name) :]}"
    text = "\n\n".join(f"{line}  # line {number}" if line.strip() else line for number, line in enumerate(lines))
    head = re.search(r"def \w+\((.*?)\):", text)
    annotated = ", ".join(f"{name}: 'a thing'" for name in head.group(1).split(", ") if "=" not in name)
    if "=" not in head.group(1):
        text = text.replace(head.group(0), f"def mine({annotated}) -> object:")
    compile(text, "disguised", "exec")
    return "import torch\n" + text.replace("    ", "  ")


def listed(answers, number="04.1", public=""):
    return likenesses(answers, STUBS[number], public)


@pytest.mark.parametrize("number", [n for n in SOLUTIONS if '"""' in SOLUTIONS[n] and "f'" not in SOLUTIONS[n]])
def test_names_comments_annotations_and_layout_change_nothing(number):
    other = disguised(SOLUTIONS[number])
    assert other != SOLUTIONS[number]
    form = normal_form(SOLUTIONS[number], STUBS[number])
    assert len(form) > 5
    assert normal_form(other, STUBS[number]) == form


def test_the_stub_does_not_count_however_it_is_laid_out():
    assert normal_form(STUBS["04.1"].replace("    ", "\t") + "\n\n# later", STUBS["04.1"]) == ()
    assert listed({"ann": STUBS["04.1"], "bob": STUBS["04.1"]}) == []


def test_what_computes_nothing_and_what_lies_beyond_the_limit_do_not_count():
    assert normal_form("import torch\n'''words'''\nx: int", STUBS["04.1"]) == ()
    assert normal_form("x = 1\n" + "\n" * LONGEST_SOURCE + "y = f(2)") == normal_form("x = 1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x, y):\n    return x - y", "def f(x, y):\n    return y - x"),
        ("def f(x):\n    return torch.stack(x)", "def f(x):\n    return torch.cat(x)"),
        ("def f(x):\n    return x.sum(0)", "def f(x):\n    return x.sum(1)"),
    ],
)
def test_what_computes_something_else_has_another_form(one, other):
    assert normal_form(one) != normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("from torch import stack as s\ndef f(x):\n    return s(x)", "def g(y):\n    return torch.stack(y)"),
        ("import numpy as np\ndef f(x):\n    return np.sum(x)", "import numpy\ndef f(x):\n    return numpy.sum(x)"),
        (
            "def f(x):\n    a: int = 1\n    pass\n    return lambda x: x + a",
            "def f(q):\n  b = 1\n  return lambda y: y+b",
        ),
        (
            "def h(a):\n    return a\ndef f(x):\n    return h(a=x)",
            "def k(b):\n    return b\ndef f(x):\n    return k(b=x)",
        ),
        ("def f(x):\n    return f'{x}'", "def f(y):\n    return f'{y}'"),
        ("%%time\ndef f(x):\n    return x", "def f(x):\n    return x"),
    ],
)
def test_the_same_computation_has_the_same_form(one, other):
    assert normal_form(one) == normal_form(other)
    assert normal_form(one)


def test_a_disguised_copy_is_the_same_and_an_independent_answer_is_not():
    (copy,) = listed({"ann": LOOP, "bob": disguised(LOOP)})
    assert (copy.left.students, copy.right.students, copy.likeness) == (("ann",), ("bob",), 1)
    assert not any(listed({"ann": LOOP, "bob": other}) for other in [*OTHERS[1:], SOLUTIONS["04.1"]])


def test_a_copy_with_a_line_of_its_own_is_listed_as_less_than_the_same():
    (one,) = listed({"ann": LOOP, "bob": disguised(LOOP).replace("  return", "  print('done')\n  return")})
    assert LEAST_LIKENESS < one.likeness < 1


def test_code_that_does_not_parse_is_compared_by_its_tokens():
    (one,) = listed({"ann": LOOP + "\n  )", "bob": LOOP.replace("total = 0", "total=0  # start") + "\n )"})
    assert one.likeness == 1


def test_a_copy_of_the_public_solution_is_named():
    answers = {f"student {number}": source for number, source in enumerate(OTHERS)}
    answers["cem"] = disguised(SOLUTIONS["04.1"])
    (found,) = listed(answers, public=SOLUTIONS["04.1"])
    assert found.left.is_public
    assert found.right.students == ("cem",)
    assert not found.right.is_public


def test_what_the_class_has_in_common_does_not_hide_what_two_share():
    common = "def walk(f, stops):\n    return f(stops[-1:])[0] - f(stops[:1])[0]"
    answers = {f"student {number:02}": common for number in range(28)}
    answers |= {"ann": LOOP, "bob": disguised(LOOP)}
    (first, *rest) = listed(answers)
    assert {*first.left.students, *first.right.students} == {"ann", "bob"}
    assert rest == []
    (alone,) = listed({"ann": common, "bob": common})  # in a class of two the same text is unusual
    assert alone.likeness == 1


def test_the_more_others_have_a_text_the_less_unusual_it_is():
    fillers = {f"student {number}": OTHERS[1 + number % 3] for number in range(30)}
    bits = []
    for copies in (2, 4, 8):
        answers = fillers | {f"copy {number}": LOOP for number in range(copies)}
        bits += [one.bits for one in listed(answers) if one.left.students == ("copy 0",)]
    assert len(bits) == 3
    assert bits == sorted(bits, reverse=True)
    assert bits[0] > 1.2 * bits[2]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "\0",
        "x = '\ud800'",
        "-" * 19_000 + "1",
        "x if y else " * 1_600 + "z",
        "lambda: " * 2_400 + "1",
        "x = 0x" + "f" * 9_000,
        "(" * 5_000,
        "a" + ".a" * 9_000,
        "def f(x):\n    '''only words'''",
        "class f: pass",
        "%%bash\nrm -rf /",
        "x = 'a\\d'\nx is 1",
        "word " * 1_000_000,
    ],
    ids=lambda source: source[:12].encode("unicode_escape").decode(),
)
def test_no_source_stops_the_comparison(source, recwarn):
    assert len(normal_form(source)) <= LONGEST_FORM
    likenesses({"ann": source, "bob": source, "cem": LOOP}, STUBS["04.1"], SOLUTIONS["04.1"])
    assert list(recwarn) == []


# A whole course


@pytest.fixture
def course(tmp_path):
    """A course folder with the release of lesson 04 in it."""
    release = tmp_path / "course" / "release" / ASSIGNMENT
    release.mkdir(parents=True)
    shutil.copy(LESSON.learner, release)
    return tmp_path / "course"


def hand_in(course, student, answers):
    notebook = json.loads(LESSON.learner.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        number = cell["metadata"].get("nbgrader", {}).get("grade_id", "").removeprefix("answer-").replace("-", ".")
        if number in answers:
            cell["source"] = answers[number]
    place = course / "submitted" / student / ASSIGNMENT
    place.mkdir(parents=True)
    (place / f"{LESSON.name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return place


def rows(course):
    with (course / "similar.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_page_says_that_it_is_no_verdict_names_the_exercise_and_shows_both_texts(course, capsys):
    hand_in(course, "ann", {"04.1": LOOP})
    hand_in(course, "bob", {"04.1": disguised(LOOP)})
    hand_in(course, "cem", {"04.2": SOLUTIONS["04.2"]})
    assert main(["similar", str(course)]) == 0
    assert "similar: 2 likenesses to look at" in capsys.readouterr().out
    page = (course / "similar.html").read_text(encoding="utf-8")
    assert page.index("This is no verdict") < page.index("04.1: walk any path") < page.index(">ann")
    assert "middle = ((a + b) / 2)" in page
    assert "other_middle = ((other_a + other_b) / 2)" in page
    first, second = rows(course)
    assert (first["exercise"], first["one"], first["other"], first["the public solution"]) == (
        "04.1",
        "ann",
        "bob",
        "no",
    )
    assert (second["exercise"], second["other"], second["the public solution"]) == ("04.2", "cem", "yes")


def test_nothing_that_a_student_wrote_is_active(course):
    script = "<script>document.title = 'taken'</script>"
    for student in ("<img src=x onerror=alert(1)>", "=1+1"):
        hand_in(course, student, {"04.1": f"{LOOP}\n    print({script!r})"})
    similar(course)
    page = (course / "similar.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;document.title = &#x27;taken&#x27;" in page
    assert "http" not in page
    assert [row["other"] for row in rows(course)] == ["'=1+1"]


def test_what_cannot_be_read_is_named_and_stops_nobody(course, tmp_path, capsys):
    secret = hand_in(tmp_path / "elsewhere", "x", {"04.1": "SECRET = 1"})
    hand_in(course, "ann", {"04.1": LOOP})
    hand_in(course, "bob", {"04.1": LOOP})
    file = f"{LESSON.name}.ipynb"
    (course / "submitted" / "linked").symlink_to(secret.parent)
    (hand_in(course, "inner", {}) / file).unlink()
    (course / "submitted" / "inner" / ASSIGNMENT / file).symlink_to(secret / file)
    (hand_in(course, "pipe", {}) / file).unlink()
    os.mkfifo(course / "submitted" / "pipe" / ASSIGNMENT / file)
    texts = {
        "empty": "",
        "number": "3",
        "list": '{"cells": 3}',
        "null": '{"cells": [null]}',
        "deep": "[" * 100_000,
        "other": '{"cells": [{"metadata": {"nbgrader": null}, "source": "x"}]}',
    }
    for student, text in texts.items():
        (hand_in(course, student, {}) / file).write_text(text)
    (hand_in(course, "latin", {}) / file).write_bytes(b'{"cells": ["\xe9"]}')
    strange = hand_in(course, "n\x1b[31m", {"04.1": LOOP + f"\n    '{'x' * 5_000_000}'"})
    assert main(["similar", str(course), "--assignment", ASSIGNMENT]) == 0
    out = capsys.readouterr().out
    assert sorted(re.findall(r": (\S+): \S", out)) == sorted(["inner", "pipe", "latin", *texts, "n%1B%5B31m"])
    assert "\x1b" not in out
    assert "SECRET" not in (course / "similar.html").read_text(encoding="utf-8")
    assert {"ann", "bob"} <= {row["one"] for row in rows(course)} | {row["other"] for row in rows(course)}
    assert strange.exists()


def test_half_a_character_in_a_name_or_a_text_is_written_out(course):
    hand_in(course, os.fsdecode(b"b\xffb"), {"04.1": f"{LOOP}\n    x = '\ud800'"})
    hand_in(course, "ann", {"04.1": f"{LOOP}\n    x = '\ud800'"})
    similar(course)
    assert "b%FFb" in (course / "similar.html").read_text(encoding="utf-8")
    assert "b%FFb" in (course / "similar.csv").read_text(encoding="utf-8")


def test_an_assignment_that_nobody_handed_in_is_named(course, capsys):
    assert main(["similar", str(course)]) == 1
    assert "holds no submission; there is nothing to compare" in capsys.readouterr().err
    hand_in(course, "ann", {})
    assert main(["similar", str(course), "--assignment", "05"]) == 1
    assert f"nothing was handed in for '05', but for {ASSIGNMENT}" in capsys.readouterr().err


def test_two_hundred_students_come_to_an_end_with_the_planted_pair_first(course):
    for number in range(200):
        source = OTHERS[number % 4]
        for line in range(number % 7):
            source = source.replace("\n    ", f"\n    step_{line} = f(stops[{number * 7 + line}])\n    ", 1)
        answers = {"04.1": source, "04.2": SOLUTIONS["04.2"] if number % 3 else STUBS["04.2"], "04.4": STUBS["04.4"]}
        if number in (50, 151):
            rare = "\n    ".join(f"part_{k} = stops[{k}] ** {k} // (f(stops)[{k}] or {k + 1})" for k in range(9))
            answers["04.1"] = source.replace("\n    ", f"\n    {rare}\n    ", 1)
        hand_in(course, f"s{number:03}", answers)
    (assignment,) = similar(course)
    assert assignment.remarks == []
    first = assignment.found["04.1"][0]
    assert {*first.left.students, *first.right.students} == {"s050", "s151"}
    (public,) = assignment.found["04.2"]
    assert (public.left.is_public, len(public.right.students)) == (True, 133)
    assert "133 students" in (course / "similar.html").read_text(encoding="utf-8")
    assert assignment.found["04.4"] == []
    assert (course / "similar.html").stat().st_size < 2**20
