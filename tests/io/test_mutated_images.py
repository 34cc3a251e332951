"""Randomly damaged files are decoded or rejected with a reason, and quickly.

``FACET_MUTATED_IMAGES=4000 .venv/bin/python -m pytest tests/io/test_mutated_images.py`` runs more of them.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import numpy as np
import pytest
import skimage.data
from PIL import Image

from core.errors import ImageError
from core.io.images import FORMATS, decode
from tests.io.test_images import save

COUNT = int(os.environ.get("FACET_MUTATED_IMAGES", "300"))
LONGEST_S = 2.0
COLOR = Image.fromarray(skimage.data.astronaut()).resize((160, 128))
GREY_16 = Image.fromarray(np.asarray(COLOR.convert("L")).astype(np.uint16) * 16)
FILES = (
    *(save(COLOR, kind) for kind in (*FORMATS, "MPO")),
    *(save(COLOR.convert("RGBA"), kind) for kind in ("PNG", "WEBP", "TIFF", "AVIF", "HEIF")),
    *(save(COLOR.convert("P"), kind) for kind in ("PNG", "GIF", "BMP", "TIFF")),
    *(save(COLOR.convert("CMYK"), kind) for kind in ("JPEG", "TIFF")),
    *(save(GREY_16, kind) for kind in ("PNG", "TIFF")),
    *(save(COLOR, "TIFF", compression=method) for method in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")),
    save(
        COLOR, "JPEG", progressive=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    ),
    save(COLOR, "WEBP", lossless=True),
    save(COLOR, "GIF", save_all=True, append_images=[COLOR.rotate(90)]),
)


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Change, cut, repeat or remove a part."""
    start, end = sorted(int(place) for place in rng.integers(0, len(data), 2))
    match rng.integers(0, 6):
        case 0:
            return data[:end]
        case 1:
            return data[:start] + data[end:]
        case 2:
            return data[:end] + data[start:end] + data[end:]
        case 3:
            extremes = bytes(rng.choice([0, 127, 128, 255], 4).astype(np.uint8))
            return data[:start] + extremes + data[start + 4 :]
        case kind:
            changed = bytearray(data)
            # Headers matter most.
            places = rng.integers(0, min(len(data), 300) if kind == 4 else len(data), 8)
            for place in places:
                changed[place] = rng.integers(0, 256)
            return bytes(changed)


def answer(data: bytes) -> str:
    try:
        frame = decode(data, name="photo").frame
    except ImageError as error:
        return str(error).split()[0]
    return "picture" if frame.dtype == np.uint8 and frame.ndim == 3 else "neither"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_mutated_files_are_decoded_or_rejected() -> None:
    rng = np.random.default_rng(0)
    answers: Counter[str] = Counter()
    for _ in range(COUNT):
        data = mutate(FILES[rng.integers(len(FILES))], rng)
        start_s = time.perf_counter()
        answers[answer(data)] += 1
        assert time.perf_counter() - start_s < LONGEST_S
    assert set(answers) == {"picture", "photo"}, "messages begin with the name"
    assert min(answers.values()) > COUNT / 10
