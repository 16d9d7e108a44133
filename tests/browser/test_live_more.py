"""The digit to draw, the path over a surface and the tokens, without a kernel: they show what Python computes."""

import random
import re

import pytest
import torch
from browser.helpers import ARTEFACTS, MINUTE, ROOT, WIDTHS, run_all, smallest_text, write_notebook
from matplotlib.colors import to_rgb
from playwright.sync_api import Locator, Page, expect

import igteach
from igteach import explore, token_attribution
from igteach.datasets import load_digits
from igteach.explore.live import LAST_LINE, all_scripts
from igteach.explore.surfaces import SURFACES
from igteach.models import digits, text
from igteach.show.text import FAINT, colours_of

pytestmark = pytest.mark.long
DRAWN = 50
SEEN = """
const { shares } = igteachLive.digits;
igteachLive.digits.shares = (network, ink, target) => {
  const found = shares(network, ink, target);
  window.computed = (window.computed || 0) + 1;
  window.seen = { ink: [...ink], target, shares: [...found], p: [...igteachLive.digits.probabilities(network, ink)] };
  return found;
};
"""  # what the figure computes, for the test to read
SETTLED = """() => new Promise(done => {
    const look = () => document.querySelector(".words").textContent.includes("shares follow")
        ? requestAnimationFrame(look) : done();
    requestAnimationFrame(() => requestAnimationFrame(look));
})"""
NAMELESS = """() => [...document.querySelectorAll(".live :is(button, input, select, canvas, svg[role])")]
    .filter(one => !(one.textContent.trim() || one.ariaLabel || one.labels?.[0]?.textContent.trim()))
    .map(one => one.outerHTML)"""


@pytest.fixture(scope="module")
def model():
    return digits.load("cpu")


@pytest.fixture(scope="module")
def answers():
    asker = text.load("question_types", "cpu")
    question = "What year did the ship sink?"
    return {
        (target, baseline): token_attribution(asker, question, target, baseline=baseline, steps=16)
        for target in ("NUM", "HUM", "DESC")
        for baseline in ("pad", "zero")
    }


@pytest.fixture(scope="module")
def figures(model, answers):
    return {
        "draw_digit": explore.draw_digit(model, load_digits().x_test[3:4]),
        "surface": explore.surface_explorer((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),
        "tokens": explore.token_explorer(answers),
    }


@pytest.fixture
def opened(page, figures, tmp_path, errors):
    """Opens a page with one of the figures; it must not complain."""

    def show(kind: str, width: int = 1400) -> Page:
        page.set_viewport_size({"width": width, "height": 950})
        body = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{kind}</title>{figures[kind].html()}'
        file = tmp_path / f"{kind}.html"
        file.write_text(f"{body}<script>{all_scripts()}{SEEN}{LAST_LINE}</script></html>", encoding="utf-8")
        page.goto(file.as_uri())
        expect(page.locator(".live")).to_be_visible()
        return page

    yield show
    assert errors == []


def draw_at_random(page: Page, lot: random.Random) -> None:
    """One to three strokes of straight lines, with the mouse."""
    page.get_by_role("button", name="clear (black)", exact=True).click()
    box = page.locator(".ink").bounding_box()

    def somewhere():
        return box["x"] + lot.uniform(0, box["width"]), box["y"] + lot.uniform(0, box["height"])

    for _ in range(lot.randint(1, 3)):
        page.mouse.move(*somewhere())
        page.mouse.down()
        for _ in range(lot.randint(1, 4)):
            page.mouse.move(*somewhere())
        page.mouse.up()
    page.evaluate(SETTLED)


def chooser(page: Page, name: str) -> Locator:
    return page.get_by_role("combobox", name=name)


def words(page: Page) -> str:
    return page.locator("[aria-live=polite]").inner_text()


def test_fifty_drawn_digits_get_the_probabilities_and_shares_of_pytorch(opened, model):
    page, lot, black = opened("draw_digit"), random.Random(0), torch.zeros(1, 1, 8, 8)
    score, said = igteach.probability(model), set()
    for number in range(DRAWN):
        draw_at_random(page, lot)
        target = number % 10 if number % 3 else None  # of two in three another class than the likeliest
        chooser(page, "explain").select_option("the likeliest" if target is None else str(target))
        page.evaluate(SETTLED)
        seen = page.evaluate("window.seen")
        x = torch.tensor(seen["ink"]).view(1, 1, 8, 8)
        assert x.max() > 0.5
        p = score(x)[0]
        assert torch.allclose(torch.tensor(seen["p"]), p, atol=1e-4)
        likeliest = int(p.argmax())
        assert seen["target"] == (likeliest if target is None else target)
        answer = igteach.integrated_gradients(score, x, black, seen["target"], steps=64)
        assert torch.allclose(torch.tensor(seen["shares"]), answer.values.flatten(), atol=1e-4)
        assert_words_hold(words(page), likeliest, answer)
        said.add(likeliest)
    assert len(said) > 3


def assert_words_hold(shown: str, likeliest: int, answer: igteach.Attribution) -> None:
    assert f"The network says {likeliest}." in shown
    change = float(re.search(r"F\(x\) - F\(x'\) = (-?[\d.e-]+)\.\n", shown)[1])
    total = float(re.search(r"shares add up to (-?[\d.e-]+);", shown)[1])
    residual = float(re.search(r"residual (-?[\d.e-]+)\.", shown)[1])
    gained = (answer.f_input - answer.f_baseline).item()
    assert change == pytest.approx(gained, abs=1e-4, rel=5e-3)
    assert total == pytest.approx(answer.values.sum().item(), abs=1e-4, rel=5e-3)
    assert abs(residual) < 0.05  # lesson 00 says that it stays small
    assert residual == pytest.approx(answer.values.sum().item() - gained, abs=1e-4, rel=5e-2)


def test_the_keyboard_draws_and_the_lessons_digit_comes_back(opened):
    page = opened("draw_digit")
    page.get_by_role("button", name="clear (black)", exact=True).click()
    page.get_by_role("button", name="row 1, column 1, ink 0", exact=True).focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp", " ", "ArrowRight", " ", " "):
        page.keyboard.press(key)
    page.evaluate(SETTLED)
    ink = page.evaluate("window.seen.ink")
    assert {at: level for at, level in enumerate(ink) if level} == {2: 0.5, 3: 1.0}
    assert "Row 1, column 4: ink 1, share" in words(page)
    page.keyboard.press("Delete")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Backspace")
    page.evaluate(SETTLED)
    assert not any(page.evaluate("window.seen.ink"))
    page.get_by_role("button", name="the lesson's digit").click()
    page.evaluate(SETTLED)
    assert page.evaluate("window.seen.ink") == pytest.approx(load_digits().x_test[3].flatten().tolist(), abs=1e-4)


def test_a_finger_draws_and_the_pen_erases(opened):
    page = opened("draw_digit", 390)
    page.get_by_role("button", name="clear (black)", exact=True).click()
    page.evaluate(SETTLED)
    finger = page.context.new_cdp_session(page)
    box = page.locator(".ink").bounding_box()
    top = page.evaluate("scrollY")
    path = [(box["x"] + box["width"] * across / 8, box["y"] + box["height"] / 2) for across in (1.5, 3.5, 6.5)]

    def swipe():
        steps = ("touchStart", path[:1]), ("touchMove", path[1:2]), ("touchMove", path[2:]), ("touchEnd", [])
        for kind, touched in steps:
            touches = [{"x": x, "y": y} for x, y in touched]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        page.evaluate(SETTLED)
        return torch.tensor(page.evaluate("window.seen.ink")).view(8, 8)

    ink = swipe()
    assert (ink[3:5, 1:7] > 0.5).all()
    assert not ink[:2].any()
    assert page.evaluate("scrollY") == top
    chooser(page, "pen").select_option("erases")
    assert swipe()[3:5, 1:7].max() < 0.5


def test_a_stroke_is_inked_at_once_and_its_shares_follow_when_it_rests(opened):
    page = opened("draw_digit", 390)
    page.get_by_role("button", name="clear (black)", exact=True).click()
    page.evaluate(SETTLED)
    box = page.locator(".ink").bounding_box()
    page.evaluate("window.computed = 0")
    page.clock.install(time=0)
    page.clock.pause_at(60)  # from here time passes only in run_for: a slow machine makes no pause in the stroke
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.9 * box["height"], steps=20)
    page.clock.run_for(100)
    assert "The shares follow" in words(page)
    assert page.evaluate("computed") == 0
    assert (
        page.get_by_role("button", name=re.compile("row 8, column 8, ink 0.[1-9]|row 8, column 8, ink 1")).count() == 1
    )
    page.clock.run_for(200)
    assert page.evaluate("computed") == 1
    assert "The shares add up to" in words(page)
    page.mouse.up()


def test_on_a_phone_the_shares_stand_above_the_surface_and_both_fit(opened):
    page = opened("surface", 390)
    words_box, bars, plane = [page.locator(one).bounding_box() for one in (".words", ".pane:has(.bar)", ".stack")]
    assert words_box["y"] < bars["y"] < plane["y"]
    assert plane["y"] + plane["height"] - words_box["y"] < 600


def shares_in_python(name: str, stops: list[list[float]]) -> torch.Tensor:
    points = torch.tensor(stops, dtype=torch.float64)
    return igteach.integrated_gradients(SURFACES[name][1], points[1:], points[:-1], steps=4000).values.sum(0)


def test_the_surface_walks_as_python_does(opened):
    page, lot = opened("surface"), random.Random(0)
    for number in range(45):
        name = list(SURFACES)[number % 3]
        stops = [[round(20 * lot.uniform(-0.2, 1.3)) / 20 for _ in range(2)] for _ in range(2 + number % 2)]
        found = page.evaluate("([name, stops]) => igteachLive.surfaces.walk(name, stops).shares", [name, stops])
        assert found == pytest.approx(shares_in_python(name, stops).tolist(), abs=1e-3)
        f = SURFACES[name][1](torch.tensor([stops[0], stops[-1]], dtype=torch.float64))
        heights = [
            page.evaluate("([name, at]) => igteachLive.surfaces.value(name, at)", [name, stops[at]]) for at in (0, -1)
        ]
        assert heights == pytest.approx(f.tolist())
        assert sum(found) == pytest.approx(heights[1] - heights[0], abs=1e-3)


def numbers_of_surface(page: Page) -> tuple[float, float, float, float]:
    """The shares of x1 and x2, their sum, and F(x) - F(x'), as the bars say them; the words must say the same."""
    bars = [float(row.inner_text().split("\n")[-1]) for row in page.locator(".bar").all()]
    said = words(page)
    first, second, total = map(
        float, re.search(r"x1 gets (\S+) and x2 gets (\S+); they add up to (\S+)\.", said).groups()
    )
    change = float(re.search(r"F\(x\) - F\(x'\) = (\S+)\.\n", said)[1])
    assert bars == [first, second, total, change]
    return first, second, total, change


@pytest.mark.parametrize("width", WIDTHS)
def test_dragging_a_point_moves_the_shares(opened, width):
    page = opened("surface", width)
    points = {"baseline": [0.0, 0.0], "corner": [1.0, 0.0], "x": [1.0, 1.0]}
    assert numbers_of_surface(page) == (0.5, 1.5, 2.0, 2.0)
    chooser(page, "path").select_option("with a corner")
    assert numbers_of_surface(page) == (0.0, 2.0, 2.0, 2.0)
    lot = random.Random(width)
    for name, (label, _) in SURFACES.items():
        chooser(page, "F").select_option(label)
        for stop in points:
            points[stop] = [round(20 * lot.uniform(-0.1, 1.2)) / 20 for _ in range(2)]
            drag(page, stop, points[stop])
            shares = shares_in_python(name, [points["baseline"], points["corner"], points["x"]])
            first, second, total, change = numbers_of_surface(page)
            assert (first, second) == pytest.approx(shares.tolist(), abs=1e-3, rel=5e-3)
            assert total == pytest.approx(change, abs=1e-3, rel=5e-3)


def drag(page: Page, stop: str, to: list[float]) -> None:
    handle, box = page.locator(f'[data-stop="{stop}"] circle').first, page.locator(".stack svg").bounding_box()
    start = handle.bounding_box()
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    across, up = ((value + 0.2) / 1.5 for value in to)
    page.mouse.move(box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"], steps=3)
    page.mouse.up()


def test_the_sliders_move_the_chosen_point(opened):
    page = opened("surface")
    chooser(page, "move").select_option("the corner")
    assert chooser(page, "path").input_value() == "with a corner"
    slider = page.get_by_role("slider", name="x2")
    assert slider.input_value() == "0"
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert page.get_by_role("slider", name="x2").input_value() == "1"
    shares = shares_in_python("product", [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    assert numbers_of_surface(page)[:2] == pytest.approx(shares.tolist(), abs=1e-3)


def test_each_choice_of_target_and_baseline_colours_the_tokens(opened, answers):
    page = opened("tokens")
    top = max(answer.scores.abs().max() for answer in answers.values())
    for (target, baseline), answer in answers.items():
        chooser(page, "target").select_option(target)
        chooser(page, "baseline").select_option(baseline)
        assert page.locator(".text").inner_text() == answer.text
        said = float(re.search(r"residual (\S+):", words(page))[1])
        assert said == pytest.approx(answer.residual, abs=0.00051)
        total = float(re.search(r"The shares add up to (\S+),", words(page))[1])
        assert total == pytest.approx(answer.scores.sum().item(), abs=1e-6, rel=5e-3)
        shown = [
            token for token, (start, end) in zip(answer.scores.tolist(), answer.offsets, strict=True) if start < end
        ]
        tokens = page.locator(".text button").all()
        assert len(tokens) == len(shown)
        for token, score in zip(tokens, shown, strict=True):
            assert float(token.get_attribute("aria-label").split()[-1]) == pytest.approx(score, rel=5e-3, abs=1e-12)
            assert_coloured(token.get_attribute("style") or "", score / top)


def assert_coloured(style: str, strength: float) -> None:
    if abs(strength) < FAINT:
        assert style == ""
        return
    red, green, blue = (round(255 * level) for level in to_rgb(colours_of(strength)[0]))
    assert f"rgb({red}, {green}, {blue})" in style
    assert ("dotted" in style) == (strength < 0)  # a browser leaves "solid" out


def test_a_tokens_number_is_said_on_hover_focus_and_touch(opened, answers):
    page = opened("tokens")
    answer = answers["NUM", "pad"]
    scores = dict(zip(answer.tokens, answer.scores.tolist(), strict=True))

    def is_said(token):
        found = re.search(rf'"{token}": share (\S+)\.$', words(page))
        assert float(found[1]) == pytest.approx(scores[token], rel=5e-3)

    page.locator(".text button", has_text="ship").hover()
    is_said("ship")
    page.locator(".text button").first.focus()
    page.keyboard.press("Tab")
    is_said("year")
    page.locator(".text button", has_text="did").dispatch_event("click")  # some phones do not focus what is tapped
    is_said("did")
    page.mouse.move(0, 0)
    box = page.locator(".text button", has_text="sink").bounding_box()
    touch = {"x": box["x"] + 5, "y": box["y"] + 10}
    finger = page.context.new_cdp_session(page)
    for kind, points in (("touchStart", [touch]), ("touchEnd", [])):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    is_said("sink")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["draw_digit", "surface", "tokens"])
def test_a_figure_fits_reads_and_names_its_controls(opened, kind, width):
    page = opened(kind, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert smallest_text(page) >= 12
    assert page.evaluate(NAMELESS) == []
    rooms = page.locator("select").evaluate_all("all => all.map(one => parseFloat(getComputedStyle(one).paddingRight))")
    assert min(rooms) > 20  # for the arrow
    page.screenshot(path=ARTEFACTS / f"live_{kind}_{width}.png", full_page=True)


IN_JUPYTERLAB = """
import sys
sys.path.insert(0, {folder!r})
from igteach import explore
from igteach.datasets import load_digits
from igteach.models import digits
explore.draw_digit(digits.load("cpu"), load_digits().x_test[3:4])

1
"""


def test_in_jupyterlab_the_keyboard_belongs_to_the_drawing(page, lab):
    write_notebook(lab, "draw", IN_JUPYTERLAB.format(folder=str(ROOT)))
    run_all(page, lab, "draw")
    black = page.get_by_role("button", name="clear (black)", exact=True)
    expect(black).to_be_visible(timeout=MINUTE)
    black.click()
    expect(page.locator(".words")).to_contain_text("ink 0, share 0")
    page.get_by_role("button", name="row 1, column 1, ink 0", exact=True).focus()
    active = page.evaluate("jupyterapp.shell.currentWidget.content.activeCellIndex")
    for key in ("ArrowDown", "ArrowRight", " ", "Enter", "ArrowDown", " ", "Backspace"):
        page.keyboard.press(key)
    expect(page.locator(".words")).to_contain_text("Row 3, column 2: ink 0, share 0.")
    expect(page.get_by_role("button", name="row 2, column 2, ink 1", exact=True)).to_be_visible()
    content = "jupyterapp.shell.currentWidget.content"
    assert page.evaluate(f"[{content}.activeCellIndex, {content}.mode]") == [active, "command"]
    page.screenshot(path=ARTEFACTS / "live_draw_digit_jupyterlab.png")
