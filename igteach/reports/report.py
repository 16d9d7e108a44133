"""A report of one attribution: a page that needs neither a network nor a script, and the same as JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from igteach.core.attribution import Attribution
from igteach.evaluate.agreement import flatten_places
from igteach.lessons.files import write_atomically
from igteach.methods.integrated_gradients import integrated_gradients
from igteach.methods.token_answer import TokenAttribution
from igteach.reports import page
from igteach.reports.controls import (
    Control,
    against_random_gradients,
    by_deletion,
    from_other_baselines,
    with_random_weights,
)
from igteach.reports.findings import findings_of
from igteach.reports.questions import Question, question_of, question_of_text
from igteach.show.answers import attribution
from igteach.show.figures import Figure

RANKINGS = {"random gradients times x - x'": against_random_gradients, "weights at random": with_random_weights}
FEWEST_SHARES = 8  # that are not zero, for a rank correlation to say something
SHOWN = 3  # features in a notebook


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
        lines = [f"Verdict: {found['verdict']}. {page.advice(found)}"]
        lines += [f"  {each['feature']}: {each['share']:+.3g}" for each in found["strongest"][:SHOWN]]
        lines += [f"  {each['name']}: {each['found']}; {each['reading']}" for each in found["controls"]]
        lines += [f"  not run: {name} ({why})" for name, why in found["controls not run"].items()]
        return "\n".join([*lines, f"The report: {self.path}"])

    def _repr_html_(self) -> str:
        found = self.found
        strongest = {each["feature"]: f"{each['share']:+.3g}" for each in found["strongest"][:SHOWN]}
        return (
            f"<p><strong>Verdict: {escape(found['verdict'])}.</strong> {escape(page.advice(found))}</p>"
            f"{page.table(strongest)}{page.table_of_controls(found)}"
            f"<p>The report: <code>{escape(str(self.path))}</code></p>"
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

    With f and x it runs controls: the shares beside those of random gradients, a deletion of the strongest features
    beside random orders, the same method on a model whose weights are drawn again, and on other baselines. Without them
    the page says that there were none. An answer to a text knows its own F, and is controlled token by token. The page
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
    place = Path(path)
    _check_replaceable(place)
    others = {} if other_baselines is None else other_baselines
    if not isinstance(others, Mapping):
        raise TypeError(f"other_baselines is {type(others).__name__}; pass a dict of baselines by name")
    if isinstance(answer, TokenAttribution):
        _check_left_out(f=f, x=x, baseline=baseline, target=target)
        question = question_of_text(answer, method)
    else:
        question = _question(answer, f, x, baseline, target, method)
    controls, not_run = ([], {}) if question is None else _controls(question, others)
    found = findings_of(answer, evidence, question) | {
        "title": title,
        "notes": notes,
        "controls": [vars(control) for control in controls],
        "controls not run": not_run,
    }
    figure = (
        attribution(answer) if isinstance(answer, TokenAttribution) else attribution(answer, picture, smooth=smooth)
    )
    text = json.dumps(found, indent=1) + "\n"
    write_atomically(place.with_suffix(".json"), text, replace=True)
    html = page.render(found, _drawn(figure))
    write_atomically(place, html.encode("utf-8", "backslashreplace"), replace=True)
    return Report(place, found)


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


def _check_replaceable(path: Path) -> None:
    """Raises FileExistsError if the path holds what is not a report, or ValueError for another ending."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"path is {str(path)!r}; its name has to end in .html")
    for place in (path, path.with_suffix(".json")):
        is_ours = place.is_file() and page.MARK in place.read_text(encoding="utf-8", errors="replace")
        if place.exists() and not is_ours:
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


def _drawn(figure: Any) -> str:
    """The picture as HTML, without a script."""
    if not isinstance(figure, Figure):
        return str(figure._repr_html_())
    png, size = figure._repr_png_()
    data = base64.b64encode(png).decode()
    return f'<img alt="{escape(figure.alt)}" width="{size["width"]}" src="data:image/png;base64,{data}">'
