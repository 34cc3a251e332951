"""Decoding rejects files that are not images, incomplete, or too large."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from core.errors import ImageTooLargeError, UnreadableImageError
from core.io.images import FORMATS, decode
from core.settings import ImageLimits
from tests.io.test_images import save

KINDS = FORMATS


def noise(height: int, width: int) -> Image.Image:
    """Hard to compress, so that half of the file is about half of the picture."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


PLAIN = noise(48, 64)


def cut(kind: str, share: float = 0.5) -> bytes:
    data = save(noise(200, 300), kind)
    return data[: int(len(data) * share)]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"Just some text, renamed to photo.jpg\n" * 20, id="renamed-text"),
        pytest.param(b"<!DOCTYPE html><html><body><img src='a.png'></body></html>", id="renamed-html"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", id="svg"),
        pytest.param(b"\xff\xd8\xff", id="jpeg-signature-only"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="png-signature-only"),
        pytest.param(b"GIF89a", id="gif-signature-only"),
        pytest.param(b"%PDF-1.7\n%EOF", id="pdf"),
        pytest.param(bytes(range(256)) * 16, id="noise"),
        *(pytest.param(cut(kind), id=f"truncated-{kind}") for kind in KINDS),
        pytest.param(cut("JPEG", 0.99), id="jpeg-without-its-end"),
    ],
)
def test_files_that_are_not_images_are_rejected(data: bytes) -> None:
    with pytest.raises(UnreadableImageError, match=r"^photo\.jpg cannot be read as an image"):
        decode(data, name="photo.jpg")


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises ``width`` x ``height`` pixels and holds a few bytes."""
    body = b""
    for tag, content in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\x00" * 1000)),
        (b"IEND", b""),
    ):
        body += struct.pack(">I", len(content)) + tag + content + struct.pack(">I", zlib.crc32(tag + content))
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("width", "height"),
    [
        pytest.param(8_000, 6_251, id="just-above"),
        pytest.param(10_000, 10_000, id="where-pillow-warns"),
        pytest.param(20_000, 20_000, id="where-pillow-raises"),
        pytest.param(2**31 - 1, 2**31 - 1, id="bomb"),
        pytest.param(50_000_001, 1, id="one-line"),
    ],
)
def test_too_many_pixels_are_rejected_from_the_header(width: int, height: int) -> None:
    with pytest.raises(ImageTooLargeError, match=r"bomb\.png .*50 megapixels"):
        decode(png_header(width, height), name="bomb.png")


def test_limit_of_pixels_is_inclusive() -> None:
    data = save(PLAIN, "PNG")
    assert decode(data, ImageLimits(max_pixels=64 * 48)).frame.shape == (48, 64, 3)
    with pytest.raises(ImageTooLargeError, match="64 x 48 pixels"):
        decode(data, ImageLimits(max_pixels=64 * 48 - 1))


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("JPEG", {"progressive": True})], ids=["no jpeg", "progressive jpeg"]
)
def test_refusal_says_what_to_do(kind: str, options: dict[str, object]) -> None:
    limits = ImageLimits(max_pixels=2_000, max_jpeg_pixels=9_000)
    message = (
        r"64 x 48 pixels.* Scale it down to at most 0\.002 megapixels, or save it as a JPEG that is not progressive"
    )
    with pytest.raises(ImageTooLargeError, match=message):
        decode(save(PLAIN, kind, **options), limits)
    with pytest.raises(ImageTooLargeError, match=r"these may have 0\.003 megapixels"):
        decode(save(PLAIN, "JPEG"), ImageLimits(max_pixels=2_000, max_jpeg_pixels=3_000))


def test_text_chunk_bomb_is_rejected() -> None:
    data = save(PLAIN, "PNG")
    content = b"note\x00\x00" + zlib.compress(b"\x00" * 100_000_000)
    chunk = struct.pack(">I", len(content)) + b"zTXt" + content
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + content))
    with pytest.raises(UnreadableImageError):
        decode(data[:33] + chunk + data[33:])


def test_too_many_bytes_are_rejected() -> None:
    with pytest.raises(ImageTooLargeError, match=r"big\.png has .*at most 40 MB"):
        decode(bytes(40 * 2**20 + 1), name="big.png")


def test_every_truncation_is_decoded_or_rejected() -> None:
    for kind in KINDS:
        data = save(PLAIN, kind)
        for length in range(0, len(data), max(1, len(data) // 40)):
            try:
                frame = decode(data[:length]).frame
            except UnreadableImageError:
                continue
            assert frame.shape == (48, 64, 3)
