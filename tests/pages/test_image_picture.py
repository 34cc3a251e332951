"""Frames over a picture are a share of it, in HTML."""

from __future__ import annotations

import numpy as np
import pytest

from core.types import Analysis, Box, Detection, Face
from pages.shared.image import picture
from pages.shared.image.picture import LinkedFace


@pytest.mark.parametrize(
    ("box", "style"),
    [
        (Box(10, 20, 30, 40), "left:10.00%;top:40.00%;width:20.00%;height:40.00%"),
        (Box(-20, 30, 40, 90), "left:0.00%;top:60.00%;width:40.00%;height:40.00%"),
    ],
    ids=["inside", "larger than what is seen of it"],
)
def test_frames_end_with_the_picture(box: Box, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(picture.st, "html", shown.append)
    face = Face(Detection(box, 0.9))
    analysis = Analysis(100, 50, (face,))
    picture.show_picture(np.zeros((50, 100, 3), np.uint8), analysis, [LinkedFace(face, 1, "card_1")], "1 face")
    assert f'style="{style}"' in shown[0]
