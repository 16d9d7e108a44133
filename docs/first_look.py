"""Draws docs/first_look.png, the first picture of the README and the book, and docs/card.png for links to it."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import igteach
from igteach import baselines, show
from igteach.models.gallery import open_gallery

HERE = Path(__file__).parent
CARD = (1200, 630)

gallery = open_gallery("cpu")
score = igteach.probability(gallery.model)
man = gallery.pictures["camera"][None]
target = int(score(man).argmax())
answers = {
    f"Integrated Gradients from {title}": igteach.integrated_gradients(score, man, baseline, target, tolerance=0.05)
    for title, baseline in {"black": None, "a blur of it": baselines.blur(man, sigma=14.0)}.items()
}


def card(plate: Path, title: str, words: str) -> Image.Image:
    """The plate of a figure under the name of the course, in the size that links are shown in."""
    picture = Image.new("RGB", CARD, "white")
    write = ImageDraw.Draw(picture)
    write.text((40, 24), title, "black", ImageFont.load_default(64))
    write.text((40, 104), words, "#444444", ImageFont.load_default(30))
    drawn = Image.open(plate).convert("RGB")
    drawn.thumbnail((CARD[0] - 40, CARD[1] - 170), Image.Resampling.LANCZOS)
    picture.paste(drawn, ((CARD[0] - drawn.width) // 2, 165))
    return picture


figure = show.attributions(man[0], answers, smooth=3, own_scales=True)
figure.save(HERE / "first_look.png")
drawn = Image.open(HERE / "first_look.png").convert("RGB")
reduced = drawn.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
reduced.save(HERE / "first_look.png", optimize=True)
card(HERE / "first_look.png", "igteach", "Which pixels made it say tripod? A course on Integrated Gradients").save(
    HERE / "card.png", optimize=True
)
print(figure.alt)
