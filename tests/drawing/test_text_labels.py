from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.drawing.text_labels import Text, label_parts, render_text
from core.types import AgeEstimate, Box, Detection, EmotionEstimate, Face, GenderEstimate

HAPPY = EmotionEstimate((0.02, 0.02, 0.02, 0.87, 0.02, 0.02, 0.03))
FACE = Face(Detection(Box(0, 0, 9, 9), 0.9), HAPPY, AgeEstimate(31, 25, 38), GenderEstimate((0.2, 0.8)))
UNCERTAIN = replace(
    FACE,
    emotion=EmotionEstimate((0.0, 0.0, 0.11, 0.1, 0.41, 0.0, 0.38), 0.5),
    gender=GenderEstimate((0.45, 0.55), 0.6),
)


@pytest.mark.parametrize(
    ("face", "number", "expected"),
    [
        (FACE, 1, ("#1 happy 87%", "31 y (25-38)", "female 80%")),
        (FACE, None, ("happy 87%", "31 y (25-38)", "female 80%")),
        (replace(FACE, emotion=None, gender=None), 1, ("#1", "31 y (25-38)")),
        (Face(FACE.detection), None, ()),
        (
            UNCERTAIN,
            1,
            ("#1 uncertain: sad 41% / neutral 38%", "31 y (25-38)", "uncertain: female 55% / male 45%"),
        ),
    ],
    ids=["all", "no number", "age only", "nothing", "uncertain"],
)
def test_label_has_the_attributes_that_were_read(face: Face, number: int | None, expected: tuple[str, ...]) -> None:
    assert label_parts(face, number) == expected


@pytest.mark.parametrize("font_px", [10, 16, 31])
@pytest.mark.parametrize("lines", [("#1",), ("#1 happy 87% · 31 y (25-38)", "female")], ids=len)
def test_measured_size_is_the_rendered_size(lines: tuple[str, ...], font_px: int) -> None:
    text = Text(lines, font_px)
    patch = render_text(text, (10, 20, 30))
    assert text.wh == (patch.shape[1], patch.shape[0])
    border = np.concatenate([patch[:, 0], patch[:, -1], patch[0], patch[-1]])
    assert (border == (10, 20, 30)).all(), "text touches the label's border"
