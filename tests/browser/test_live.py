"""The live figures on a page without a kernel: what they show is what Python computes, on a desk and on a phone."""

import itertools
import re

import numpy as np
import pytest
import torch
from browser.helpers import ARTEFACTS, WIDTHS, smallest_text
from playwright.sync_api import Page, expect

import igteach
from igteach import explore
from igteach.core.quadrature import RULES
from igteach.datasets import load_digits
from igteach.explore import live
from igteach.explore.cuts import COUNTS
from igteach.explore.packing import in_blocks
from igteach.explore.paths import ALPHAS, path_profile
from igteach.explore.pictures import over_colours
from igteach.explore.rules import STEPS
from igteach.models import digits
from igteach.show import rounded
from igteach.show.plates import coloured
from igteach.show.verdicts import verdict_in_words

pytestmark = pytest.mark.long
HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
COLOURS = """canvas => {
    const side = canvas.width / 8, pen = canvas.getContext('2d');
    const at = (row, column) => [...pen.getImageData((column + .5) * side, (row + .5) * side, 1, 1).data];
    return Array.from({length: 8}, (_, row) => Array.from({length: 8}, (_, column) => at(row, column)));
}"""  # of the middles of 8 by 8 squares


@pytest.fixture(scope="module")
def digit():
    """A network, one of its digits, and the digit's class."""
    data = load_digits()
    return digits.load("cpu"), data.x_test[:1], int(data.y_test[0])


@pytest.fixture(scope="module")
def starts():
    return {"black": 0.0, "grey": 0.5, "white": 1.0}


@pytest.fixture(scope="module")
def figures(digit, starts):
    model, x, target = digit
    score = igteach.probability(model)
    truth = igteach.exact_integrated_gradients(igteach.logit(model), x, 0.0, target)
    return {
        "path": explore.path_explorer(score, x, 0.0, target),
        "steps": explore.steps_explorer(igteach.logit(model), x, 0.0, target, truth),
        "baselines": explore.baseline_explorer(score, x, starts, target),
        "cuts": explore.cuts_explorer(score, x, 0.0, target),
    }


@pytest.fixture(scope="module")
def site(figures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    sections = "".join(f'<div id="{kind}">{figure.html()}</div>' for kind, figure in figures.items())
    (folder / "index.html").write_text(f'{HEAD}<title>Figures</title>{sections}<script src="live.js"></script>')
    (folder / "live.js").write_text(live.script(), encoding="utf-8")
    return folder


@pytest.fixture(params=WIDTHS)
def opened(request, page, site, errors, asked):
    """The page at one width, by the end of a test without errors and without anything to scroll to at its side."""
    page.set_viewport_size({"width": request.param, "height": 850})
    page.goto(f"file://{site}/index.html")
    expect(page.locator(".words")).to_have_count(4)
    yield page
    assert errors == []
    assert asked == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert smallest_text(page) >= 12


def words_of(page: Page, kind: str) -> list[str]:
    return page.locator(f"#{kind} .words > div").all_inner_texts()


def close_to(canvas, values: np.ndarray, top: float) -> None:
    """The colours on the page are those of the plates, less the rounding to 127 steps; hatches are left out."""
    seen, strength = np.array(canvas.evaluate(COLOURS)), values / top
    plain = strength > -0.05
    assert plain.sum() > 10
    assert (seen[..., 3] == 255).all()
    wanted = 255 * coloured(values, top)
    assert np.abs(seen[plain][:, :3] - wanted[plain]).max() < 5
    negative = strength < -0.5
    assert (seen[negative][:, 2] > seen[negative][:, 0]).all()


def test_the_path_tells_what_python_computes_at_every_stop(opened, digit):
    model, x, target = digit
    profile = path_profile(igteach.probability(model), x, 0.0, target)
    slider = opened.get_by_role("slider", name="alpha", exact=True)
    assert slider.get_attribute("aria-valuetext") == f"{ALPHAS[profile.start]:.2f}" == "0.25"
    assert opened.locator("#path img").first.get_attribute("src").startswith("data:image/png")
    canvases = opened.locator("#path canvas")
    tops = [profile.gradients.abs().flatten(), profile.shares.abs().flatten()]
    tops = [np.percentile(values.double().numpy(), 99.5) for values in tops]
    slider.press("Home")
    for at, alpha in enumerate(ALPHAS):
        f, sums = profile.f_values, profile.sums
        said, note = words_of(opened, "path")
        assert said == (
            f"At alpha {alpha:.2f} F is {rounded(f[at]):g}. It has moved by {rounded(f[at] - f[0]):g} since the "
            f"baseline; the shares so far add up to {rounded(sums[at]):g}."
        )
        assert note == "Strongest colour: percentile 99.5 of |value|; larger ones are clipped."
        if at % 5 == 0:
            close_to(canvases.nth(0), profile.gradients[at, 0].double().numpy(), tops[0])
            close_to(canvases.nth(1), profile.shares[at, 0].double().numpy(), tops[1])
            assert float(opened.locator("#path .stack img").nth(1).evaluate("i => i.style.opacity")) == pytest.approx(
                alpha
            )
        slider.press("ArrowRight")


def test_the_slider_follows_the_mouse(opened):
    slider = opened.get_by_role("slider", name="alpha", exact=True)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    height, mark = box["y"] + box["height"] / 2, opened.locator("#path circle")
    before = float(mark.get_attribute("cx"))
    opened.mouse.move(box["x"] + 0.2 * box["width"], height)
    opened.mouse.down()
    for part in range(10):
        opened.mouse.move(box["x"] + box["width"] * (0.3 + part / 12), height)
    opened.mouse.up()
    assert words_of(opened, "path")[0].startswith("At alpha 1.00 F is")
    assert float(mark.get_attribute("cx")) > before
    opened.screenshot(path=ARTEFACTS / f"live_{opened.viewport_size['width']}.png", full_page=True)


def test_a_stop_looks_alike_however_it_is_reached(opened):
    slider, canvas = opened.get_by_role("slider", name="alpha", exact=True), opened.locator("#path canvas").first
    before = canvas.evaluate("c => c.toDataURL()")
    slider.press("ArrowRight")
    assert canvas.evaluate("c => c.toDataURL()") != before
    slider.press("ArrowLeft")
    assert canvas.evaluate("c => c.toDataURL()") == before


def test_the_slider_follows_a_finger(browser, site):
    with browser.new_context(viewport={"width": 390, "height": 850}, has_touch=True, is_mobile=True) as context:
        phone = context.new_page()
        phone.goto(f"file://{site}/index.html")
        box = phone.get_by_role("slider", name="alpha", exact=True).bounding_box()
        phone.touchscreen.tap(box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2)
        (alpha,) = re.findall(r"At alpha ([\d.]+) F", words_of(phone, "path")[0])
        assert 0.6 < float(alpha) < 0.8


def test_steps_tell_what_python_computes_for_every_rule(opened, digit):
    model, x, target = digit
    f = igteach.logit(model)
    truth = igteach.exact_integrated_gradients(f, x, 0.0, target)
    exact = truth.values[0, 0].double().numpy()
    rules = opened.get_by_role("combobox", name="rule", exact=True)
    slider = opened.get_by_role("slider", name="steps", exact=True)
    canvases = opened.locator("#steps canvas")
    for rule, steps in itertools.product(RULES, STEPS):
        if steps == STEPS[0]:
            rules.select_option(rule)
            slider.press("Home")
        answer = igteach.integrated_gradients(f, x, 0.0, target, rule=rule, steps=steps)
        values = answer.values[0, 0].double().numpy()
        off = np.abs(values - exact).sum() / np.abs(exact).sum()
        first, second = words_of(opened, "steps")
        assert first == f"{rule.capitalize().replace('_', '-')}, {steps} gradients. {verdict_in_words(answer)}"
        (said,) = re.findall(r"Single shares are off by ([\d.]+)% in all", second)
        assert abs(float(said) - 100 * off) < 0.0051
        if steps == 8:
            top = np.abs(exact).max()
            for number, (shown, scale) in enumerate([(values, top), (exact, top), (values - exact, top / 10)]):
                close_to(canvases.nth(number), shown, scale)
        slider.press("ArrowRight")


def test_baselines_tell_what_python_computes_for_every_pair(opened, digit, starts):
    model, x, target = digit
    score = igteach.probability(model)
    answers = {name: igteach.integrated_gradients(score, x, start, target) for name, start in starts.items()}
    top = max(answer.values.abs().max().item() for answer in answers.values())
    sides = [opened.get_by_role("combobox", name=side, exact=True) for side in ("left", "right")]
    canvases, pictures = opened.locator("#baselines canvas"), opened.locator("#baselines .panes img")
    for pair in itertools.product(starts, starts):
        for side, name in zip(sides, pair, strict=True):
            side.select_option(name)
        told = [f"Against {name}: {verdict_in_words(answers[name])}" for name in dict.fromkeys(pair)]
        assert words_of(opened, "baselines")[: len(told)] == told
        for number, name in enumerate(pair):
            close_to(canvases.nth(number), answers[name].values[0, 0].double().numpy(), top)
            assert pictures.nth(number).get_attribute("alt") == f"{name} baseline"
            level = pictures.nth(number).evaluate(
                "i => { const c = document.createElement('canvas').getContext('2d');"
                " c.drawImage(i, 0, 0); return c.getImageData(4, 4, 1, 1).data[0]; }"
            )
            assert level == round(255 * starts[name])


def test_a_map_tells_the_number_under_the_pointer_the_arrows_and_a_finger(opened, digit):
    model, x, target = digit
    profile = path_profile(igteach.probability(model), x, 0.0, target)
    shares = profile.shares[profile.start, 0].double().numpy()
    top = np.percentile(np.abs(profile.shares.double().numpy()), 99.5)
    pane = opened.locator("#path .pane:has(canvas)").nth(1)
    canvas, said = pane.locator("canvas"), pane.get_by_role("status")
    assert "Point" in said.inner_text()
    height = pane.bounding_box()["height"]

    def tells(row, column, values=shares):
        number = re.fullmatch(rf"row {row + 1}, column {column + 1}: (\S+?)(, strongest colour)?", said.inner_text())
        assert float(number[1]) == pytest.approx(values[row, column].clip(-top, top), abs=0.006 * top, rel=0.06)
        assert pane.bounding_box()["height"] == height
        here, map_box = pane.locator(".here").bounding_box(), canvas.bounding_box()
        assert here["x"] - map_box["x"] == pytest.approx(column * map_box["width"] / 8, abs=1)
        assert here["y"] - map_box["y"] == pytest.approx(row * map_box["height"] / 8, abs=1)

    def place(row, column):
        box = canvas.bounding_box()
        return {"x": (column + 0.5) / 8 * box["width"], "y": (row + 0.5) / 8 * box["height"]}

    for row, column in itertools.product(range(0, 8, 3), range(0, 8, 2)):
        canvas.hover(position=place(row, column))
        tells(row, column)
    canvas.hover(position=place(0, 0))
    canvas.focus()
    for key in ("ArrowUp", "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowRight"):
        opened.keyboard.press(key)
    tells(2, 1)
    opened.get_by_role("slider", name="alpha", exact=True).press("End")
    tells(2, 1, profile.shares[-1, 0].double().numpy())
    opened.mouse.move(0, 0)
    canvas.scroll_into_view_if_needed()
    box, at = canvas.bounding_box(), place(3, 4)
    touch = {"x": box["x"] + at["x"], "y": box["y"] + at["y"]}
    finger = opened.context.new_cdp_session(opened)
    for kind, points in (("touchStart", [touch]), ("touchEnd", [])):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    tells(3, 4, profile.shares[-1, 0].double().numpy())


def logistic(x):
    return 1 / (1 + np.exp(-x))


def stages_of(slope, change):
    """Errors of the sum by cuts and by equal steps, and where the next cut is, cut by cut; slope takes alphas."""
    nodes, widths = (np.arange(9) + 0.5) / 9, np.full(9, 1 / 9)
    for count in COUNTS:
        heights = slope(nodes)
        apart = np.concatenate([[0], np.abs(np.diff(heights)), [0]])
        need = widths * (apart[:-1] + apart[1:])
        k = np.flatnonzero(need >= need.max() * (1 - 1e-9))[0]
        equal = slope((np.arange(count) + 0.5) / count).mean()
        yield [abs(found / change - 1) for found in (widths @ heights, equal)], nodes[k]
        third = widths[k] / 3
        nodes = np.concatenate([nodes[:k], nodes[k] + third * np.array([-1, 0, 1]), nodes[k + 1 :]])
        widths = np.concatenate([widths[:k], [third] * 3, widths[k + 1 :]])


def test_cuts_tell_what_python_computes_for_every_function(opened, figures):
    data, choice = figures["cuts"].data, opened.get_by_role("combobox", name="F", exact=True)
    slider = opened.get_by_role("slider", name="cuts", exact=True)
    wanted = {
        "1 - ReLU(1 - x), from 0 to 2": stages_of(lambda alphas: 2.0 * (alphas < 0.5), 1),
        "a sigmoid, from -3 to 60": stages_of(
            lambda alphas: 63 * logistic(63 * alphas - 3) * (1 - logistic(63 * alphas - 3)), logistic(60) - logistic(-3)
        ),
        "this F": ((errors, None) for errors in zip(*data["errors"], strict=True)),
    }
    for name, stages in wanted.items():
        choice.select_option(name)
        slider.press("Home")
        for cuts, (errors, node) in enumerate(stages):
            told, more = words_of(opened, "cuts")
            assert told.startswith(f"{COUNTS[cuts]} gradients, after {cuts} cut")
            said = [float(number) for number in re.findall(r"off by ([\d.e-]+)%", told)]
            assert said == pytest.approx([100 * error for error in errors], rel=0.06, abs=1e-9)
            (at,) = re.findall(r"The next cut is at alpha ([\d.]+)\.", more)
            assert node is None or float(at) == pytest.approx(node, rel=0.006)
            slider.press("ArrowRight")


def test_without_scripts_the_pictures_stand(browser, site, figures):
    with browser.new_context(java_script_enabled=False) as context:
        still = context.new_page()
        still.goto(f"file://{site}/index.html")
        for kind, figure in figures.items():
            picture = still.locator(f"#{kind} img")
            expect(picture).to_be_visible()
            assert picture.get_attribute("alt") == figure.still.alt


def test_a_figure_that_fails_leaves_its_picture_and_the_others(page, site, figures, tmp_path, errors):
    whole = (site / "index.html").read_text()
    assert whole.count('"alphas":') == 1
    (tmp_path / "index.html").write_text(whole.replace('"alphas":', '"none":'))
    (tmp_path / "live.js").write_text((site / "live.js").read_text())
    page.goto(f"file://{tmp_path}/index.html")
    expect(page.locator("#steps .words")).to_be_visible()
    assert page.locator("#path img").get_attribute("alt") == figures["path"].still.alt
    assert page.locator("#path input").count() == 0
    assert len(errors) == 1


def test_a_photograph_lies_as_a_ghost_beneath_its_map(page, tmp_path):
    x = torch.rand(1, 3, 96, 80)
    figure = explore.path_explorer(lambda x: x.flatten(1).square().sum(1), x, 1.0, None)
    (tmp_path / "index.html").write_text(f'{HEAD}<title>One</title>{figure.html()}<script src="live.js"></script>')
    (tmp_path / "live.js").write_text(live.script(), encoding="utf-8")
    page.goto(f"file://{tmp_path}/index.html")
    ghost, canvas = page.locator(".stack:has(canvas) img").nth(1), page.locator("canvas").nth(1)
    assert ghost.evaluate("i => [i.naturalWidth, i.naturalHeight]") == [80, 96]
    assert ghost.bounding_box() == canvas.bounding_box()
    size, side, seen = canvas.evaluate(
        "c => [[c.height, c.width], c.height / 48, [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]"
    )
    opacities = np.array(seen).reshape(*size, 4)[:: int(side), :: int(side), 3]
    profile = path_profile(lambda x: x.flatten(1).square().sum(1), x, 1.0, None)
    shares = in_blocks(over_colours(profile.shares))[0][figure.data["start"]]
    strength = np.abs(shares / figure.data["top"]["shares"])
    wanted = 255 * (1.5 * strength).clip(max=1)
    hatched = strength > 0.49
    assert (wanted < 200).mean() > 0.5
    assert np.abs(opacities - wanted)[~hatched].max() < 4


def test_a_script_in_the_head_starts_the_figures(page, site, tmp_path):
    whole = (site / "index.html").read_text()
    tag = '<script src="live.js"></script>'
    (tmp_path / "index.html").write_text(whole.replace(tag, "").replace("<title>", f"{tag}<title>"))
    (tmp_path / "live.js").write_text((site / "live.js").read_text())
    page.goto(f"file://{tmp_path}/index.html")
    expect(page.locator(".words")).to_have_count(4)


def test_on_a_phone_the_words_keep_their_height(page, site):
    page.set_viewport_size({"width": 390, "height": 850})
    page.goto(f"file://{site}/index.html")
    page.add_style_tag(content="body { margin: 0 16px; }")  # as in the book
    for kind, control in (("path", "alpha"), ("steps", "steps"), ("cuts", "cuts")):
        slider, heights = page.locator(f"#{kind}").get_by_role("slider", name=control, exact=True), set()
        slider.press("Home")
        for _ in range(int(slider.get_attribute("max")) + 1):
            heights.add(page.locator(f"#{kind} .words").bounding_box()["height"])
            slider.press("ArrowRight")
        assert len(heights) == 1, (kind, heights)
    choices, heights = page.locator("#baselines select"), set()
    for names in itertools.product(("black", "grey", "white"), repeat=2):
        for number, name in enumerate(names):
            choices.nth(number).select_option(name)
        heights.add(page.locator("#baselines .words").bounding_box()["height"])
    assert len(heights) == 1, heights


def test_a_theme_neither_rounds_the_pictures_nor_thins_the_captions(page, site):
    page.goto(f"file://{site}/index.html")
    page.add_style_tag(
        content="html[data-theme=dark] .bd-content img:not(.only-dark,.dark-light)"
        " { border-radius: 10px; background-color: white; filter: invert(1); }"
        ".bd-content figure.pane figcaption { font-weight: 300; }"
    )
    page.evaluate("document.documentElement.dataset.theme = 'dark'; document.body.className = 'bd-content'")
    looks = page.locator("#baselines .stack img").evaluate_all(
        "all => all.map(getComputedStyle).map(s => [s.borderRadius, s.backgroundColor, s.filter])"
    )
    assert looks == [["0px", "rgba(0, 0, 0, 0)", "none"]] * 3
    weights = page.locator("figcaption").evaluate_all("all => all.map(one => getComputedStyle(one).fontWeight)")
    assert set(weights) == {"400"}
