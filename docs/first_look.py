"""Draws docs/first_look.png, the first picture of the README and the book, and two more pictures from it.

docs/first_look_narrow.png has its panels in a column, for phones; docs/card.png is for links to the course.
"""

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


def in_a_column(plate: Path, words: str) -> Image.Image:
    """The three panels of a figure, each with its title, below one another and over a caption."""
    drawn = Image.open(plate).convert("RGB")
    wide, step = 633, 628  # of a panel with its margins, and from one panel to the next
    rows = ((40, 725), (0, 800), (0, 800))  # the picture has no colour bar and no second line of title
    picture = Image.new("RGB", (wide, sum(below - above for above, below in rows) + 140), "white")
    top = 0
    for column, (above, below) in enumerate(rows):
        picture.paste(drawn.crop((column * step, above, column * step + wide, below)), (0, top))
        top += below - above
    ImageDraw.Draw(picture).multiline_text((18, top), words, "black", ImageFont.load_default(25), spacing=10)
    return picture


figure = show.attributions(man[0], answers, smooth=3, own_scales=True)
figure.save(HERE / "first_look.png")
drawn = Image.open(HERE / "first_look.png").convert("RGB")
reduced = drawn.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
reduced.save(HERE / "first_look.png", optimize=True)
card(HERE / "first_look.png", "igteach", "Which pixels made it say tripod? A course on Integrated Gradients").save(
    HERE / "card.png", optimize=True
)
narrow = in_a_column(
    HERE / "first_look.png",
    "Orange: positive. Blue, hatched where strong:\nnegative. Each map has a scale of its own,\n"
    "and is smoothed for display.",
)
narrow.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE).save(
    HERE / "first_look_narrow.png", optimize=True
)
print(figure.alt)
