"""A report of one attribution: a page that needs neither a network nor a script, and the same as JSON."""

from __future__ import annotations

import base64
import json
import platform
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from igteach.core import fingerprint
from igteach.core.attribution import ROUGHLY_BELOW, Attribution, leaves
from igteach.core.functions import Function, Logit, Probability
from igteach.core.summary import largest_shares
from igteach.evaluate.agreement import flatten_places
from igteach.lessons.files import write_atomically
from igteach.methods.baselines import opinion
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.methods.prompts import NextTokens
from igteach.methods.token_answer import TokenAttribution
from igteach.models.language import NextLogits
from igteach.models.text import EmbeddingInterpolation
from igteach.reports.controls import (
    Control,
    Question,
    against_random_gradients,
    by_deletion,
    from_other_baselines,
    question_of,
    question_of_text,
    with_random_weights,
)
from igteach.show.answers import attribution
from igteach.show.figures import Figure

STRONGEST = 10  # features that are listed
WRAPPERS = (Logit, NextTokens, EmbeddingInterpolation, NextLogits)  # of a model
RANKINGS = {"random gradients times x - x'": against_random_gradients, "weights at random": with_random_weights}
FEWEST_SHARES = 8  # that are not zero, for a rank correlation to say something
LITTLE = 0.05  # of |F|: a change of F by less leaves little to share out
SURE = 0.5  # an opinion of the baseline from there on is not neutral
SHOWN = 3  # of them in a notebook
PACKAGES = {  # module: what pip calls it; those that are in use are listed
    "igteach": "igteach",
    "torch": "torch",
    "numpy": "numpy",
    "transformers": "transformers",
    "sklearn": "scikit-learn",
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
}
PLACE = re.compile(r"(?:(?P<input>\w+) )?\((?P<numbers>\d+, \d+(?:, \d+)?)\)")  # among several inputs, with its name
MARK = "igteach report"  # in the head of each page, so that only a report is ever replaced
STYLE = """
:root { color-scheme: light }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50em; margin: 1.5em auto; padding: 0 1em }
body { overflow-wrap: anywhere }
h1, h2 { line-height: 1.25 } h2 { margin-top: 1.6em; border-bottom: 2px solid #888 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3em .8em .3em 0; border-bottom: 1px solid #ccc }
th { font-weight: 600; width: 30% }
.verdict { border: 2px solid #000; padding: .6em 1em; font-size: 1.1em }
.warning { border-style: double; border-width: 6px }
img { max-width: 100%; height: auto }
@media print { body { max-width: none; margin: 0; font-size: 11pt } h2, table, img { break-inside: avoid } }
"""


@dataclass(frozen=True, eq=False)
class Report:
    """What a report says, and where it lies. A notebook shows its verdict, strongest features and controls.

    Attributes:
        path: of the page; the JSON has the same name with the ending .json.
        found: what the JSON holds.
    """

    path: Path
    found: dict[str, Any]

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        found = self.found
        lines = [f"Verdict: {found['verdict']}. {_advice(found)}"]
        lines += [f"  {each['feature']}: {each['share']:+.3g}" for each in found["strongest"][:SHOWN]]
        lines += [f"  {each['name']}: {each['found']}; {each['reading']}" for each in found["controls"]]
        lines += [f"  not run: {name} ({why})" for name, why in found["controls not run"].items()]
        return "\n".join([*lines, f"The report: {self.path}"])

    def _repr_html_(self) -> str:
        found = self.found
        strongest = {each["feature"]: f"{each['share']:+.3g}" for each in found["strongest"][:SHOWN]}
        return (
            f"<p><strong>Verdict: {escape(found['verdict'])}.</strong> {escape(_advice(found))}</p>"
            f"{_rows(strongest)}{_controls_table(found)}<p>The report: <code>{escape(str(self.path))}</code></p>"
        )


def write_report(
    answer: Attribution | TokenAttribution,
    f: Any = None,
    x: Any = None,
    baseline: Any = None,
    target: Any = None,
    *,
    path: str | Path = "report.html",
    title: str = "Attribution report",
    method: Callable[..., Attribution] = integrated_gradients,
    other_baselines: Mapping[str, Any] | None = None,
    picture: Any = None,
    smooth: float = 0.0,
    notes: str = "",
) -> Report:
    """Write what an attribution says and how far it can be trusted: one page, and the same as JSON beside it.

    With f and x it runs controls: the shares beside those of random slopes, a deletion of the strongest features beside
    random orders, the same method on a model whose weights are drawn again, and on other baselines. Without them the
    page says that there were none. An answer to a text knows its own F, and is controlled token by token. The page
    needs no network and no script; it prints.

    Args:
        answer: about one example; for one of a batch `answer.example(3)`.
        f: F, or the model of trees, as the method was given it; not for a text.
        x: its input, (1, *features), or a tuple or dict of several; not for a text.
        baseline: as the method was given it; not for a text.
        target: as the method was given it; not for a text.
        path: of the page; the JSON has the same name with the ending .json. A report that is there is replaced.
        title: of the page.
        method: of the answer, for the controls that run it again; for trees the default stands for their own.
        other_baselines: baselines by name, in the form of the baseline, whose shares are compared; for a text the
            answers from them.
        picture: as for `igteach.show.attribution`.
        smooth: as for it.
        notes: a paragraph of your own.

    Returns:
        The report: its path, and what it found.

    Raises:
        FileExistsError: the path holds something that is not a report; it is left as it is.
        OSError: a file cannot be written.
        TypeError: answer is not an answer of a method; or an argument is of the wrong kind.
        ValueError: the answer is about several examples, or about another f, x or target than those given; or what is
            not for a text is given for one.

    Example:
        >>> import igteach, tempfile, torch
        >>> f, x = igteach.toy(lambda x, y: x * y), torch.ones(1, 2)
        >>> answer = igteach.integrated_gradients(f, x)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(write_report(answer, f, x, path=f"{folder}/report.html").found["verdict"])
        complete

    Source:
        What a report has to say: Mitchell et al. (2019), Model Cards, https://doi.org/10.1145/3287560.3287596. The
        controls: Adebayo et al. (2018), https://arxiv.org/abs/1810.03292; Samek et al. (2017),
        https://doi.org/10.1109/TNNLS.2016.2599820.
    """
    evidence = _evidence_of(answer)
    page = Path(path)
    _check_replaceable(page)
    others = {} if other_baselines is None else other_baselines
    if not isinstance(others, Mapping):
        raise TypeError(f"other_baselines is {type(others).__name__}; pass a dict of baselines by name")
    if isinstance(answer, TokenAttribution):
        _check_left_out(f=f, x=x, baseline=baseline, target=target)
        question = question_of_text(answer, method)
    else:
        question = _question(answer, f, x, baseline, target, method)
    controls, not_run = ([], {}) if question is None else _controls(question, others)
    found = _as_json(answer, evidence, question, controls, title, notes) | {"controls not run": not_run}
    figure = (
        attribution(answer) if isinstance(answer, TokenAttribution) else attribution(answer, picture, smooth=smooth)
    )
    text = json.dumps(found, indent=1) + "\n"
    write_atomically(page.with_suffix(".json"), text, replace=True)
    write_atomically(page, _page(found, _drawn(figure)).encode("utf-8", "backslashreplace"), replace=True)
    return Report(page, found)


def _check_left_out(**arguments: Any) -> None:
    """Raises ValueError for an argument that does not go with a text."""
    for name, given in arguments.items():
        if given is not None:
            raise ValueError(f"{name} is given, and an answer to a text knows its own; leave it out")


def _question(
    answer: Attribution, f: Any, x: Any, baseline: Any, target: Any, method: Callable[..., Any]
) -> Question | None:
    """What the controls ask; None if there is no F to ask."""
    if (f is None) != (x is None):
        raise ValueError("f or x is missing; pass both, for the controls, or neither")
    return None if f is None else question_of(answer, f, x, baseline, target, method)


def _evidence_of(answer: Any) -> Attribution:
    """The Attribution about one example in an answer."""
    evidence = answer.evidence if isinstance(answer, TokenAttribution) else answer
    if not isinstance(evidence, Attribution):
        raise TypeError(f"answer is {type(answer).__name__}; pass the answer that a method returned")
    if len(evidence.f_input) != 1:
        raise ValueError(f"answer is about {len(evidence.f_input)} examples; pass one: answer.example(0)")
    return evidence


def _check_replaceable(page: Path) -> None:
    """Raises FileExistsError if the page's place holds what is not a report, or ValueError for another ending."""
    if page.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"path is {str(page)!r}; its name has to end in .html")
    for place in (page, page.with_suffix(".json")):
        if place.exists() and (not place.is_file() or MARK not in place.read_text(encoding="utf-8", errors="replace")):
            raise FileExistsError(f"{place} is there and is not a report of ours, so it was left; pass another path")


def _controls(question: Question, others: Mapping[str, Any]) -> tuple[list[Control], dict[str, str]]:
    """The controls, and those that cannot be run, each with the reason."""
    shares = int(flatten_places(question.values).count_nonzero())
    if shares == 0:
        return [], {"all": "no share differs from zero"}
    if shares == 1:
        return [], {"all": "only one share differs from zero: F(x) - F(x'), which two calls of F tell"}
    found, not_run = [by_deletion(question)], dict[str, str]()
    for name, control in RANKINGS.items():
        try:
            if shares < FEWEST_SHARES:
                raise ValueError(f"two rankings of {shares} shares agree by chance; {FEWEST_SHARES} are needed")
            found.append(control(question))
        except (TypeError, ValueError) as error:
            not_run[name] = str(error)
    return [*found, *from_other_baselines(question, others)], not_run


def _as_json(
    answer: Attribution | TokenAttribution,
    evidence: Attribution,
    question: Question | None,
    controls: Sequence[Control],
    title: str,
    notes: str,
) -> dict[str, Any]:
    """Everything that the page says but its picture."""
    return {
        "format": MARK,
        "title": title,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "verdict": evidence.verdict,
        "may be read as shares of F(x) - F(x')": _adds_up(evidence),
        "asked": _asked(answer, question),
        "evidence": _numbers(evidence) | _said_at_baseline(answer, question),
        "F hardly changes": _hardly_changes(evidence),
        "x' is not neutral": _is_sure(question),
        "truncated": isinstance(answer, TokenAttribution) and answer.truncated,
        "strongest": [{"feature": name, "share": share} for name, share in _strongest(answer)],
        "controls": [vars(control) for control in controls],
        "controls run": bool(controls),
        "notes": notes,
        "versions": {"python": platform.python_version(), **_versions()},
        "command": "in a notebook" if "ipykernel" in sys.modules else " ".join(sys.argv),
    }


def _adds_up(evidence: Attribution) -> bool:
    """Whether the shares add up, and single ones are settled as far as that is known."""
    relative = evidence.relative_residual
    if relative is None or relative.item() >= ROUGHLY_BELOW:
        return False
    return evidence.error_estimate is None or evidence.error_estimate.item() < ROUGHLY_BELOW


def _asked(answer: Attribution | TokenAttribution, question: Question | None) -> dict[str, str]:
    asked = {}
    if isinstance(answer, TokenAttribution):
        asked = {"text": answer.text, "F": answer.f_name or f"probability of {answer.target!r}"}
        asked["baseline"] = answer.baseline_name or "not recorded"
    if question is None:
        return asked
    f = question.model
    if isinstance(f, nn.Module):
        model = _without_wrappers(f)
        asked["model"] = f"{type(model).__name__}, {sum(each.numel() for each in model.parameters()):,} parameters"
        asked["hash of the model's layers and weights"] = fingerprint.of_model(model)
    asked["method, as told"] = getattr(question.method, "__name__", repr(question.method))
    if isinstance(answer, TokenAttribution):
        return asked
    asked["F"] = _name_of(f)
    asked["target"] = "none: F is one number" if question.label is None else str(question.label)
    asked["input"] = fingerprint.of_tensor(question.x)
    asked["baseline"] = _in_words(question.baseline)
    return asked


def _without_wrappers(f: nn.Module) -> nn.Module:
    """The model in F."""
    while isinstance(f, WRAPPERS):
        f = f.path if isinstance(f, NextTokens) else f.model  # type: ignore[assignment]
    return f


def _name_of(f: Function) -> str:
    if isinstance(f, Logit):
        return "probability" if isinstance(f, Probability) else "logit"
    return str(getattr(f, "__name__", type(f).__name__))


def _in_words(baseline: Tensor) -> str:
    first = baseline.flatten()[:1]
    if first.numel() and bool((baseline == first).all()):
        return f"{first.item():g} in every place"
    return fingerprint.of_tensor(baseline)


def _is_sure(question: Question | None) -> bool:
    """Whether the probabilities at x' are far from even."""
    if question is None or not isinstance(question.model, Probability):
        return False
    try:
        found = opinion(question.f, question.baseline.clone()).item()  # f may work in place
        with torch.no_grad():
            classes = question.f(question.baseline.clone()).shape[1]
        return found >= SURE * (1 - 1 / classes)  # of the opinion of one who is certain
    except (TypeError, ValueError):  # of one class, or of outputs that are not probabilities of a choice
        return False


def _numbers(evidence: Attribution) -> dict[str, float | bool | str | None]:
    def number(value: Tensor | None) -> float | None:
        return None if value is None else float(value.item())

    evaluations = evidence.evaluations
    return {
        "F(x)": number(evidence.f_input),
        "F(x')": number(evidence.f_baseline),
        "sum of |shares| / |F(x) - F(x')|": _cancelled(evidence),
        "residual": number(evidence.residual),
        "residual / |F(x) - F(x')|": number(evidence.relative_residual),
        "error estimate, as a fraction of all |shares|": number(evidence.error_estimate),
        "gradients": float(evaluations.item() if isinstance(evaluations, Tensor) else evaluations),
        "converged: the estimate is below the tolerance": None
        if evidence.converged is None
        else bool(evidence.converged.item()),
    }


def _cancelled(evidence: Attribution) -> float | None:
    """How much larger all shares are without their signs than what they share out."""
    if evidence.f_baseline is None:
        return None
    change = (evidence.f_input - evidence.f_baseline).abs().item()
    total = sum(each.double().abs().sum().item() for each in leaves(evidence.values))
    return total / change if change else None


def _hardly_changes(evidence: Attribution) -> bool:
    """Whether there is next to nothing to share out."""
    if evidence.f_baseline is None:
        return False
    f_input, f_baseline = evidence.f_input.item(), evidence.f_baseline.item()
    return abs(f_input - f_baseline) <= LITTLE * max(abs(f_input), abs(f_baseline))


def _said_at_baseline(answer: Attribution | TokenAttribution, question: Question | None) -> dict[str, str]:
    """What F of several classes says at x': the baseline may be sure of another one than the target."""
    if question is None or (isinstance(answer, TokenAttribution) and answer.labels is None):
        return {}
    with torch.no_grad():
        outputs = question.f(question.baseline.clone())
    if outputs.dim() != 2 or outputs.shape[1] < 2:
        return {}
    names = answer.labels if isinstance(answer, TokenAttribution) and answer.labels else range(outputs.shape[1])
    largest = outputs[0].argsort(descending=True)[:SHOWN].tolist()
    return {"largest outputs at x'": ", ".join(f"{names[i]}: {outputs[0, i].item():.3g}" for i in largest)}


def _strongest(answer: Attribution | TokenAttribution) -> list[tuple[str, float]]:
    if isinstance(answer, Attribution):
        largest, _, _ = largest_shares(answer, 0, STRONGEST)
        return [(_place_in_words(name), share) for name, share in largest if share != 0]
    order = answer.scores.abs().argsort(descending=True)[:STRONGEST].tolist()
    return [(f"{answer.tokens[i]!r} (token {i})", answer.scores[i].item()) for i in order if answer.scores[i] != 0]


def _place_in_words(name: str) -> str:
    """A feature's name; a place in a picture or a series, such as "(1, 83, 114)", in words."""
    found = PLACE.fullmatch(name)
    if found is None:
        return name
    numbers = found["numbers"].split(", ")
    kinds = ("channel", "row", "column")[-len(numbers) :]
    where = ", ".join(f"{kind} {number}" for kind, number in zip(kinds, numbers, strict=True))
    name_of_input = found["input"] or ""
    if name_of_input.isdecimal():
        name_of_input = f"input {name_of_input}"
    return f"{name_of_input}: {where}" if name_of_input else where


def _versions() -> dict[str, str]:
    found = {}
    for module, package in PACKAGES.items():
        with suppress(PackageNotFoundError):
            if module in sys.modules:
                found[package] = version(package)
    return found


def _drawn(figure: Any) -> str:
    """The picture as HTML, without a script."""
    if not isinstance(figure, Figure):
        return str(figure._repr_html_())
    png, size = figure._repr_png_()
    data = base64.b64encode(png).decode()
    return f'<img alt="{escape(figure.alt)}" width="{size["width"]}" src="data:image/png;base64,{data}">'


def _page(found: Mapping[str, Any], picture: str) -> str:
    """The page; everything but the picture, which is ours, is escaped."""
    sound = found["may be read as shares of F(x) - F(x')"]
    kind = "verdict" if sound else "verdict warning"
    parts = [
        f"<h1>{escape(found['title'])}</h1>",
        f'<p class="{kind}"><strong>Verdict: {escape(found["verdict"])}.</strong> {escape(_advice(found))}</p>',
        f"<p>{escape(found['notes'])}</p>" if found["notes"] else "",
        "<h2>What was asked</h2>",
        _rows(found["asked"]) if found["asked"] else "<p>Not recorded: the report was made from the answer alone.</p>",
        "<h2>The evidence</h2>",
        _rows({name: _plain(value) for name, value in found["evidence"].items()}),
        "<h2>The attribution</h2>",
        picture,
        "<h2>The strongest features</h2>",
        _rows({each["feature"]: f"{each['share']:+.3g}" for each in found["strongest"]}),
        "<h2>Controls</h2>",
        _controls_table(found),
        "<h2>How it was made</h2>",
        _rows({"date": found["date"], "command": found["command"], **found["versions"]}),
    ]
    body = "\n".join(part for part in parts if part)
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="generator" '
        f'content="{MARK}"><title>{escape(found["title"])}</title><style>{STYLE}</style>'
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body><main>\n{body}\n</main></body></html>\n'


def _advice(found: Mapping[str, Any]) -> str:
    failed = [control["name"] for control in found["controls"] if not control["passed"]]
    if not found["may be read as shares of F(x) - F(x')"]:
        return "Do not read the numbers below as shares of F(x) - F(x')."
    warnings = []
    if found["F hardly changes"]:
        warnings.append("F is nearly the same at x' and at x, so there is next to nothing to share out")
    if found["x' is not neutral"]:
        same = found["evidence"]["F(x')"] >= SURE
        answer = "gives the same answer at x' already" if same else "is sure of another class at x'"
        warnings.append(f"the model {answer}, so the shares compare with that")
    if found["truncated"]:
        warnings.append("the model did not read all of the text")
    if failed:
        warnings.append(f"mind what these controls say: {', '.join(failed)}")
    if not found["controls"]:
        warnings.append("no control was run, so nothing is known of what they are worth")
    if warnings:
        return f"The shares add up; {'; '.join(warnings)}."
    return "The shares add up, and no control speaks against them."


def _controls_table(found: Mapping[str, Any]) -> str:
    missing = "".join(
        f"<p>Not run: {escape(name)} ({escape(why)}).</p>" for name, why in found["controls not run"].items()
    )
    if not found["controls"]:
        return missing or "<p>None were run.</p>"
    head = "<tr><th>control</th><th>found</th><th>reading</th></tr>"
    rows = [
        f"<tr><td>{escape(each['name'])}</td><td>{escape(each['found'])}</td>"
        f"<td>{'' if each['passed'] else '<strong>Warning:</strong> '}{escape(each['reading'])}</td></tr>"
        for each in found["controls"]
    ]
    return f"<table>{head}{''.join(rows)}</table>{missing}"


def _rows(cells: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(cell)}</td></tr>' for name, cell in cells.items()
    )
    return f"<table>{rows}</table>"


def _plain(value: float | bool | str | None) -> str:
    if value is None:
        return "not known"
    if isinstance(value, str):
        return value
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.4g}"
