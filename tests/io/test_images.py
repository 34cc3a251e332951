"""Decoding of every kind of image that people upload."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from core.errors import ImageTooLargeError, UnreadableImageError
from core.io.images import decode, encode_png, fit, read_file, to_rgb
from core.settings import ImageLimits

ROOT = Path(__file__).parents[2]
Frame = NDArray[np.uint8]


def picture(height: int = 48, width: int = 64) -> Frame:
    """(H, W, 3) RGB: smooth, colourful and different in every corner, so that a flip or a swap is seen."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / (width - 1), 255 * y / (height - 1)
    return np.stack([red, green, 255 - (red + green) / 2], axis=-1).astype(np.uint8)


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def frame_of(data: bytes, limits: ImageLimits = ImageLimits()) -> Frame:
    return decode(data, limits).frame


def difference(frame: Frame, rgb: Frame) -> int:
    """Largest absolute difference between a BGR frame and an RGB picture."""
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    assert frame.shape == rgb.shape
    return int(np.abs(frame[:, :, ::-1].astype(int) - rgb.astype(int)).max())


RGB = picture()
GREY = np.repeat(RGB[:, :, 1:2], 3, axis=2)
PLAIN = Image.fromarray(RGB)


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        pytest.param("PNG", {}, 0, id="png"),
        pytest.param("BMP", {}, 0, id="bmp"),
        pytest.param("TIFF", {}, 0, id="tiff"),
        pytest.param("JPEG", {"quality": 95, "subsampling": 0}, 6, id="jpeg"),
        pytest.param("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 6, id="progressive-jpeg"),
        pytest.param("MPO", {"quality": 95, "subsampling": 0}, 6, id="jpeg-of-a-phone-with-a-second-picture"),
        pytest.param("WEBP", {"lossless": True}, 0, id="webp-lossless"),
        pytest.param("WEBP", {"quality": 100}, 16, id="webp"),
        pytest.param("GIF", {}, 60, id="gif-reduced-to-256-colours"),
        pytest.param("TIFF", {"compression": "tiff_lzw"}, 0, id="tiff-lzw"),
        pytest.param("AVIF", {"quality": 95, "subsampling": "4:4:4"}, 12, id="avif"),
        pytest.param("HEIF", {"quality": 95, "chroma": 444}, 12, id="heic"),
    ],
)
def test_formats(kind: str, options: dict[str, object], tolerance: int) -> None:
    assert difference(frame_of(save(PLAIN, kind, **options)), RGB) <= tolerance


@pytest.mark.parametrize(
    "kind",
    ["GIF", "WEBP", "TIFF", "PNG"],
    ids=["animated-gif", "animated-webp", "multi-page-tiff", "animated-png"],
)
def test_only_the_first_frame_is_decoded(kind: str) -> None:
    red, blue = (Image.new("RGB", (20, 10), colour) for colour in ("red", "blue"))
    options = {"lossless": True} if kind == "WEBP" else {}
    frame = frame_of(save(red, kind, save_all=True, append_images=[blue], **options))
    assert frame.shape == (10, 20, 3)
    assert frame[5, 10].tolist() == [0, 0, 255]


# How a camera stores an upright picture under each orientation code: the inverse of what a viewer does.
STORED = {
    1: RGB,
    2: RGB[:, ::-1],
    3: RGB[::-1, ::-1],
    4: RGB[::-1],
    5: RGB.transpose(1, 0, 2),
    6: np.rot90(RGB, 1),
    7: RGB[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(RGB, -1),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
@pytest.mark.parametrize("code", STORED)
def test_exif_rotation_is_applied(kind: str, code: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = code
    stored = Image.fromarray(np.ascontiguousarray(STORED[code]))
    options: dict[str, dict[str, object]] = {
        "JPEG": {"quality": 95, "subsampling": 0},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 95, "subsampling": "4:4:4"},
        "HEIF": {"quality": 95, "chroma": 444},
    }
    frame = frame_of(save(stored, kind, exif=exif.tobytes(), **options.get(kind, {})))
    assert difference(frame, RGB) <= 12


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_invalid_exif_is_ignored() -> None:
    data = save(PLAIN, "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x63\x01\x12\x00\x03garbage")
    assert frame_of(data).shape == RGB.shape


ALPHA = np.full((*RGB.shape[:2], 1), 255, np.uint8)


@pytest.mark.parametrize(
    ("image", "kind", "expected", "tolerance"),
    [
        pytest.param(Image.fromarray(RGB[:, :, 1]), "PNG", GREY, 0, id="grey"),
        pytest.param(Image.fromarray(np.dstack([RGB, ALPHA])), "PNG", RGB, 0, id="opaque-alpha"),
        pytest.param(Image.fromarray(np.dstack([RGB[:, :, 1:2], ALPHA])), "PNG", GREY, 0, id="grey-alpha"),
        pytest.param(Image.fromarray(np.dstack([RGB, ALPHA])), "TIFF", RGB, 0, id="opaque-alpha-tiff"),
        pytest.param(PLAIN.convert("P", palette=Image.Palette.ADAPTIVE), "PNG", RGB, 60, id="palette"),
        pytest.param(PLAIN.convert("CMYK"), "TIFF", RGB, 0, id="cmyk-tiff"),
        pytest.param(PLAIN.convert("YCbCr"), "TIFF", RGB, 4, id="ycbcr-tiff"),
        pytest.param(PLAIN.convert("CMYK"), "JPEG", RGB, 30, id="cmyk-jpeg"),
        pytest.param(Image.fromarray(GREY).convert("1", dither=Image.Dither.NONE), "PNG",
                     np.where(GREY > 127, 255, 0), 0, id="black-and-white"),
    ],
)  # fmt: skip
def test_colour_models(image: Image.Image, kind: str, expected: Frame, tolerance: int) -> None:
    assert difference(frame_of(save(image, kind)), expected) <= tolerance


@pytest.mark.parametrize("kind", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_per_channel_are_reduced_to_8(kind: str, channels: int) -> None:
    deep = np.dstack([RGB[:, :, ::-1], ALPHA]).astype(np.uint16) * 257
    array = deep[:, :, 1] if channels == 1 else deep[:, :, :channels]
    _, file = cv2.imencode(kind, np.ascontiguousarray(array))
    assert difference(frame_of(file.tobytes()), GREY if channels == 1 else RGB) == 0


@pytest.mark.parametrize("kind", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_fewer_bits_stored_in_16_are_scaled_to_8(kind: str, channels: int, bits: int) -> None:
    deep = RGB[:, :, ::-1].astype(np.uint16) << (bits - 8)
    _, file = cv2.imencode(kind, np.ascontiguousarray(deep[:, :, 1] if channels == 1 else deep))
    assert difference(frame_of(file.tobytes()), GREY if channels == 1 else RGB) == 0


def test_black_stays_black() -> None:
    _, file = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint16))
    assert not frame_of(file.tobytes()).any()


def test_16_bit_grey_tiff_with_white_zero() -> None:
    inverted = Image.fromarray((255 - RGB[:, :, 1]).astype(np.uint16) * 257)
    assert difference(frame_of(save(inverted, "TIFF", tiffinfo={262: 0})), GREY) == 0


@pytest.mark.parametrize("mode", ["I", "F"])
def test_32_bits_per_channel_are_rejected(mode: str) -> None:
    with pytest.raises(UnreadableImageError, match="cannot be read as an image: 32 bits per channel"):
        frame_of(save(Image.fromarray(RGB[:, :, 1]).convert(mode), "TIFF"))


def test_transparency_is_composited_on_white() -> None:
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    assert frame_of(save(half, "PNG"))[0, 0].tolist() == [127, 127, 255]
    gone = Image.new("P", (4, 4), 1)
    gone.putpalette([0, 0, 0, 0, 0, 0])
    assert frame_of(save(gone, "GIF", transparency=1))[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize(("alpha", "expected"), [(0, [0, 0, 255]), (255, [0, 0, 255]), (128, [127, 127, 255])])
def test_fourth_byte_of_a_bitmap_is_padding_if_zero(alpha: int, expected: list[int]) -> None:
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, 4, 4, 1, 32, 3, 64, 0, 0, 0, 0) + masks + bytes(52)
    pixels = bytes([0, 0, 255, alpha]) * 16
    file = b"BM" + struct.pack("<IHHI", 14 + 108 + 64, 0, 0, 14 + 108) + header + pixels
    assert frame_of(file)[0, 0].tolist() == expected


def test_cmyk_with_an_invalid_icc_profile() -> None:
    frame = frame_of(save(PLAIN.convert("CMYK"), "TIFF", icc_profile=b"no profile"))
    assert difference(frame, RGB) == 0


def cmyk_profile() -> bytes:
    """The smallest ICC profile: a printer whose four inks are all the same grey, each a quarter of black."""
    identity = b"".join(struct.pack(">i", 65536 * (row == column)) for row in range(3) for column in range(3))
    ramp = bytes(range(256))
    corners = b"".join(bytes([255 * (4 - inks.bit_count()) // 4, 128, 128]) for inks in range(16))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + corners + ramp * 3
    start = 128 + 4 + 12
    header = struct.pack(">I4sI4s4s4s", start + len(table), b"none", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", start, len(table)) + table


def test_cmyk_uses_the_embedded_icc_profile() -> None:
    inks = np.zeros((2, 2, 4), np.uint8)
    inks[0, :, 0] = 255
    data = save(Image.fromarray(inks, "CMYK"), "TIFF", icc_profile=cmyk_profile())
    cyan, paper = frame_of(data)[:, 0].tolist()
    assert cyan == pytest.approx([185] * 3, abs=4), "L* 75 is sRGB 185; without the profile it is 0, 255, 255"
    assert paper == pytest.approx([255] * 3, abs=2)


def test_icc_profile_of_an_rgb_file_is_ignored() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert difference(frame_of(save(PLAIN, "PNG", icc_profile=profile)), RGB) == 0


def test_read_file(tmp_path: Path) -> None:
    file = tmp_path / "named.txt"
    file.write_bytes(save(PLAIN, "PNG"))
    assert difference(read_file(file).frame, RGB) == 0
    with pytest.raises(ImageTooLargeError, match=r"named\.txt"):
        read_file(file, ImageLimits(max_bytes=10))


@pytest.mark.parametrize("name", ["absent.png", "", "a\0b", "x" * 300], ids=["missing", "folder", "null", "long"])
def test_read_file_rejects_missing_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableImageError, match="cannot be read as an image"):
        read_file(tmp_path / name)


@pytest.mark.parametrize(
    ("max_pixels", "divisor"), [(3072, 1), (3071, 2), (768, 2), (767, 4), (191, 8)], ids=lambda value: str(value)
)
@pytest.mark.parametrize("kind", ["JPEG", "MPO"])
def test_very_large_jpegs_are_decoded_smaller(kind: str, max_pixels: int, divisor: int) -> None:
    picture = decode(save(PLAIN, kind, quality=95), ImageLimits(max_pixels=max_pixels))
    assert picture.resolution_wh == (64, 48)
    assert picture.frame.shape == (48 // divisor, 64 // divisor, 3)
    assert picture.frame_scale_xy == (1 / divisor, 1 / divisor)
    assert difference(picture.frame, fit(np.ascontiguousarray(RGB), 64 // divisor)) <= 16


def test_size_of_a_very_large_jpeg_is_that_of_the_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decode(save(PLAIN, "JPEG", exif=exif.tobytes()), ImageLimits(max_pixels=800))
    assert (picture.resolution_wh, picture.frame.shape) == ((48, 64), (32, 24, 3))


MEASURE = """
import resource, sys
from core.io.images import read_file
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
picture = read_file(sys.argv[1])
print(*picture.resolution_wh, picture.frame.shape[1], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory has another unit or is not known")
def test_memory_for_108_megapixels(tmp_path: Path) -> None:
    file = tmp_path / "108.jpg"
    Image.new("L", (12_000, 9_000), 128).save(file)
    command = [sys.executable, "-c", MEASURE, str(file)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    width, height, frame_width, peak_kb = map(int, answer.split())
    assert (width, height, frame_width) == (12_000, 9_000, 6_000)
    assert peak_kb < 150_000, "the frame has 79 MB; at full size it would have 309"


@pytest.mark.parametrize(
    "name", ["Zoë 😀.png", "مرحبا.png", "a\nb.png", "'\"$(x);&.png", "%s{0}.png", "-x.png", "caf\udce9"]
)
def test_file_names_may_hold_any_characters(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(save(PLAIN, "PNG"))
    assert difference(read_file(file).frame, RGB) == 0


def test_encode_png_and_to_rgb() -> None:
    frame = frame_of(save(PLAIN, "PNG"))
    before = frame.copy()
    assert np.array_equal(frame_of(encode_png(frame)), frame)
    assert np.array_equal(to_rgb(frame), RGB)
    assert np.array_equal(frame, before)


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        pytest.param(300, 400, (75, 100, 3), id="wide"),
        pytest.param(400, 300, (100, 75, 3), id="tall"),
        pytest.param(50, 100, (50, 100, 3), id="small-enough"),
        pytest.param(1, 1000, (1, 100, 3), id="a-line"),
    ],
)
def test_fit_keeps_the_aspect_ratio(height: int, width: int, expected: tuple[int, ...]) -> None:
    frame = np.zeros((height, width, 3), np.uint8)
    fitted = fit(frame, 100)
    assert fitted.shape == expected
    assert fitted is not frame
