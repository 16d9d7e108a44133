import io
import re
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from igteach.datasets import PHOTOGRAPHS, load_photograph, open_picture, photographs
from igteach.datasets.photographs import FORMATS, rgb

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
QUARTERS = [[RED, GREEN], [BLUE, WHITE]]


def quarters(side=32):
    """A picture whose four quarters are red, green, blue and white."""
    return Image.fromarray(np.array(QUARTERS, np.uint8).repeat(side // 2, 0).repeat(side // 2, 1))


def saved(image, kind="PNG", **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def corners(image):
    """The colours near the corners, in reading order, as (2, 2, 3) of int."""
    return np.asarray(image).astype(int)[[1, -2]][:, [1, -2]]


def far(image, colours=QUARTERS):
    return np.abs(corners(image) - np.array(colours)).max()


# The photographs of scikit-image


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_every_photograph_is_at_hand_without_a_network(name):
    image = load_photograph(name)
    assert image.dtype == np.uint8
    assert image.ndim == (2 if name in ("camera", "coins") else 3)
    assert min(image.shape[:2]) > 256
    assert image.std() > 30


def test_of_the_two_motorcycles_the_left_one_is_taken():
    from skimage import data

    left, right, _ = data.stereo_motorcycle()
    assert np.array_equal(load_photograph("stereo_motorcycle"), left)
    assert not np.array_equal(left, right)


def test_another_name_gets_the_list():
    with pytest.raises(ValueError, match=r"name is 'cat'; choose one of astronaut, camera, chelsea, .*open_picture"):
        load_photograph("cat")


# A learner's own file


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read(kind):
    image = open_picture(saved(quarters(), kind))
    assert (image.mode, image.size) == ("RGB", (32, 32))
    assert far(image) <= 30  # JPEG and WebP lose a little


def test_a_path_a_string_bytes_and_an_upload_give_the_same(tmp_path):
    path = tmp_path / "picture.png"
    quarters().save(path)
    for file in (path, str(path), path.read_bytes(), memoryview(path.read_bytes())):
        assert far(open_picture(file)) == 0


def test_a_path_without_a_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        open_picture(tmp_path / "nothing.png")


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (1999, 1500)])
def test_every_size_is_read(size):
    assert open_picture(saved(Image.new("RGB", size, RED))).size == size


TURNED = {  # EXIF's orientation of a stored picture, and how to store an upright one that way
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: np.swapaxes(upright, 0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(np.swapaxes(upright, 0, 1), 2),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", TURNED)
def test_a_photograph_is_shown_upright(orientation, kind):
    stored = Image.fromarray(np.ascontiguousarray(TURNED[orientation](np.asarray(quarters()))))
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert far(open_picture(saved(stored, kind, exif=exif, quality=95))) <= 10


@pytest.mark.parametrize("exif", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12garbage"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_damaged_exif_is_passed_over_in_silence(exif, kind):
    with warnings.catch_warnings(action="error"):
        assert far(open_picture(saved(quarters(), kind, exif=exif))) <= 30


def test_what_is_transparent_is_white():
    picture = quarters().convert("RGBA")
    picture.putalpha(Image.fromarray(np.array([[255, 0], [0, 255]], np.uint8).repeat(16, 0).repeat(16, 1)))
    expected = [[RED, WHITE], [WHITE, WHITE]]
    assert far(open_picture(saved(picture)), expected) == 0
    assert far(open_picture(saved(picture, "WEBP", lossless=True)), expected) == 0
    assert far(open_picture(saved(picture.convert("LA").convert("RGBA"))), [[(76,) * 3, WHITE], [WHITE, WHITE]]) <= 1


def test_half_transparent_red_is_pink():
    assert corners(open_picture(saved(Image.new("RGBA", (8, 8), (255, 0, 0, 51))))).tolist()[0][0] == [255, 204, 204]


def test_a_palette_is_resolved_also_with_one_transparent_colour():
    picture = quarters().quantize(4)
    assert far(open_picture(saved(picture))) == 0
    green = picture.getpixel((31, 0))
    assert far(open_picture(saved(picture, transparency=green)), [[RED, WHITE], [BLUE, WHITE]]) == 0


def test_one_transparent_colour_of_rgb_is_white():
    assert far(open_picture(saved(quarters(), transparency=GREEN)), [[RED, WHITE], [BLUE, WHITE]]) == 0


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_cut_off(kind):
    levels = np.array([[0, 1000], [32768, 65535]], np.uint16).repeat(16, 0).repeat(16, 1)
    expected = np.array([[0, 4], [128, 255]])[..., None].repeat(3, -1)
    assert far(open_picture(saved(Image.fromarray(levels), kind)), expected) == 0


DEEP = {  # the colour type of a PNG of 16 bits, its two pixels of 16-bit numbers, and these in 8 bits on white
    "grey": (0, [32768, 65535], [(128,) * 3, WHITE]),
    "grey and alpha": (4, [0, 65535, 0, 0], [(0,) * 3, WHITE]),
    "RGB": (2, [65535, 0, 0, 0, 32768, 65535], [RED, (0, 128, 255)]),
    "RGBA": (6, [65535, 0, 0, 65535, 65535, 0, 0, 13107], [RED, (255, 204, 204)]),
}


@pytest.mark.parametrize("kind", DEEP)
def test_sixteen_bits_of_every_kind_are_scaled(kind):
    colour_type, numbers, expected = DEEP[kind]
    assert np.abs(np.asarray(open_picture(deep(colour_type, numbers))).astype(int)[0] - expected).max() <= 1


def test_one_transparent_grey_of_sixteen_bits_is_white():
    image = open_picture(deep(0, [20_000, 0], chunk(b"tRNS", struct.pack(">H", 20_000))))
    assert np.asarray(image)[0].tolist() == [list(WHITE), [0, 0, 0]]


def test_sixteen_bits_of_the_other_byte_order_are_too():
    levels = Image.frombytes("I;16B", (4, 4), np.full((4, 4), 32768, ">u2").tobytes())
    assert np.unique(np.asarray(rgb(levels))).tolist() == [128]


@pytest.mark.parametrize(("mode", "expected"), [("L", 76), ("1", 0)])
def test_grey_and_bitmaps_become_three_channels(mode, expected):
    image = open_picture(saved(Image.new("RGB", (8, 8), RED).convert(mode, dither=Image.Dither.NONE)))
    assert np.unique(np.asarray(image)).tolist() == [expected]
    assert image.mode == "RGB"


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_printing_colours_become_rgb(kind):
    assert far(open_picture(saved(quarters().convert("CMYK"), kind))) <= 30


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        assert far(open_picture(saved(frames[0], kind, save_all=True, append_images=frames[1:])), [[RED] * 2] * 2) <= 30


# What is no picture


def sentence(content):
    with pytest.raises(ValueError) as error:  # noqa: PT011  its text is what the tests look at
        open_picture(content)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_an_empty_file_is_told_by_name(tmp_path):
    (tmp_path / "mine.png").touch()
    assert sentence(tmp_path / "mine.png") == "mine.png is empty; choose another picture"


@pytest.mark.parametrize(
    "content",
    [b"hello", b"%PDF-1.7", b"<svg/>", b"\0" * 1000, b"%!PS-Adobe-3.0 EPSF-3.0\n%%EOF", saved(quarters(), "PPM")],
)
def test_what_is_no_picture_gets_the_formats(content):
    assert sentence(content) == (
        "the file is not a picture that can be read here; choose one of PNG, JPEG, GIF, WEBP, BMP, TIFF, with 8 or 16 "
        "bits a channel"
    )


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(kind, share):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    content = saved(noise, kind)
    assert "picture" in sentence(content[: int(share * len(content))])


@pytest.mark.parametrize("kind", FORMATS)
def test_broken_bytes_give_a_picture_or_a_sentence_and_nothing_else(kind):
    content, random, told = saved(quarters(), kind), np.random.default_rng(0), []
    for _ in range(100):
        broken = bytearray(content)
        for place in random.integers(0, len(broken), 3):
            broken[place] = random.integers(0, 256)
        try:
            with warnings.catch_warnings(action="ignore"):
                assert open_picture(bytes(broken)).mode == "RGB"
        except ValueError as error:
            told.append(str(error))
    assert all(text.startswith("the file ") for text in told)


def test_an_error_of_any_kind_from_pillows_readers_becomes_a_sentence():
    content = saved(quarters())
    length = content.index(b"IDAT") - 4
    content = content[:length] + struct.pack(">I", 5) + content[length + 4 :]  # the rest is taken for other chunks
    with Image.open(io.BytesIO(content)) as image, pytest.raises(SyntaxError):
        image.load()
    assert "the file is a broken picture (broken PNG file" in sentence(content)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, bits, colour_type, rows, extra=b""):
    head = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    content = chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def deep(colour_type, numbers, extra=b""):
    """A PNG of two pixels side by side, of 16 bits."""
    return png(2, 1, 16, colour_type, b"\0" + struct.pack(f">{len(numbers)}H", *numbers), extra)


def claims(width, height):
    """A small PNG that says it is large."""
    return png(width, height, 8, 2, bytes(1000))


def replaced(content, at, layout, *numbers):
    """The content with numbers written over it."""
    changed = bytearray(content)
    struct.pack_into(layout, changed, at, *numbers)
    return bytes(changed)


def claiming(kind, side):
    """A small picture of a kind that says it is a large square."""
    small = saved(quarters(), kind, **({"lossless": True} if kind == "WEBP" else {}))
    if kind == "PNG":
        return claims(side, side)
    if kind == "TIFF":
        (entries,) = struct.unpack_from("<H", small, start := struct.unpack_from("<I", small, 4)[0])
        for at in range(start + 2, start + 2 + 12 * entries, 12):
            if struct.unpack_from("<H", small, at)[0] in (256, 257):  # width and height
                small = replaced(small, at + 2, "<HII", 4, 1, side)
        return small
    if kind == "WEBP":
        return replaced(small, small.index(b"VP8L") + 9, "<I", side - 1 | (side - 1) << 14)
    at, layout = {
        "JPEG": (small.find(b"\xff\xc0") + 5, ">HH"),
        "GIF": (6, "<HH"),
        "BMP": (18, "<ii"),
    }[kind]
    return replaced(small, at, layout, side, side)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_decompression_bomb_is_refused(kind):
    assert "million pixels, and at most 50 million are opened" in sentence(claiming(kind, 9000))
    told = "the file has too many pixels to be opened; scale it down first"
    assert sentence(claiming(kind, 16_000)) == told


def test_a_bomb_in_the_frame_of_a_small_animation_is_refused():
    small = saved(quarters(), "GIF")
    assert "too many pixels" in sentence(replaced(small, small.index(b",") + 5, "<HH", 60_000, 60_000))


@pytest.mark.parametrize("size", [(10_000, 5_001), (17_700, 10_000), (1, 50_000_001)])
def test_more_pixels_than_a_lesson_needs_are_refused_before_they_are_decoded(size, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("the pixels were decoded"))
    told = sentence(claims(*size))
    assert told.startswith("the file has ")
    assert told.endswith(" million pixels, and at most 50 million are opened; scale it down first")


def test_the_largest_picture_is_opened(monkeypatch):
    monkeypatch.setattr(photographs, "LARGEST_PICTURE", 32 * 32)
    assert far(open_picture(saved(quarters()))) == 0
    assert "million pixels" in sentence(saved(quarters(34)))


def test_a_picture_of_floats_in_0_to_1_is_right():
    levels = np.array([[0, 0.2], [0.4, 1]], np.float32).repeat(16, 0).repeat(16, 1)
    expected = np.array([[0, 51], [102, 255]])[..., None].repeat(3, -1)
    assert far(open_picture(saved(Image.fromarray(levels), "TIFF")), expected) == 0


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        (np.full((8, 8), 70_000, np.int32), "image is int32; pass uint8, uint16, or floats in"),
        (np.full((8, 8), 200.0, np.float32), r"image holds 200 to 200; floats must lie in \[0, 1\]"),
        (np.full((8, 8), np.nan, np.float32), "image holds nan to nan"),
    ],
)
def test_a_picture_of_32_bits_that_nobody_can_read_is_refused_and_not_called_broken(levels, why):
    told = sentence(saved(Image.fromarray(levels), "TIFF"))
    assert re.fullmatch(rf"the file cannot be shown as it is \({why}.*\); save it with 8 or 16 bits a channel", told)


def test_a_large_photograph_is_opened_without_a_warning(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 600)  # Pillow warns from here, and refuses at twice as many
    with warnings.catch_warnings(action="error"):
        assert far(open_picture(saved(quarters()))) == 0


# From a picture or an array to RGB


def test_arrays_of_every_kind_give_the_same_picture():
    grey = np.array([[0, 51], [102, 255]], np.uint8)
    expected = grey[..., None].repeat(3, -1)
    same = [grey, grey[..., None], expected, grey / 255, (grey / 255).astype(np.float32), grey.astype(np.uint16) * 257]
    same += [
        np.dstack([expected, np.full_like(grey, 255)]),
        Image.fromarray(grey),
        Image.fromarray(grey / np.float32(255)),
    ]
    for image in same:
        assert np.array_equal(np.asarray(rgb(image)), expected)


def test_an_arrays_alpha_is_laid_on_white():
    assert np.asarray(rgb(np.array([[[1.0, 0, 0, 0.2]]]))).tolist() == [[[255, 204, 204]]]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((3, 20, 20)), r"shape \(3, 20, 20\); pass \(height, width\) or"),
        (np.zeros((20, 20, 2)), r"shape \(20, 20, 2\)"),
        (np.zeros((0, 20, 3)), r"shape \(0, 20, 3\)"),
        (np.zeros(20), r"shape \(20,\)"),
        (np.full((4, 4), 200.0), r"holds 200 to 200; floats must lie in \[0, 1\]"),
        (np.full((4, 4), -0.1), r"holds -0\.1 to -0\.1"),
        (np.full((4, 4), np.nan), "holds nan to nan"),
        (np.zeros((4, 4), np.int64), "image is int64; pass uint8"),
        (np.zeros((4, 4), bool), "image is bool; pass uint8"),
        ([[0, 1]], "image is list; pass a PIL image or an array"),
        (Image.new("I", (4, 4)), "image is int32"),
        (Image.new("RGB", (0, 5)), "image has 0 by 5 pixels; pass one with a pixel in it"),
    ],
)
def test_what_is_no_picture_is_told_why(image, message):
    with pytest.raises((TypeError, ValueError), match=message):
        rgb(image)


def test_importing_the_data_brings_neither_pillow_nor_scikit_image():
    code = "import sys, igteach.datasets; print({'PIL', 'skimage', 'sklearn'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
