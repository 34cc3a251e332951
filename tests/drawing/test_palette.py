"""Colours that colour-blind people can tell apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from core.drawing.palette import EMOTION_HEX, FACE_HEX, hex_to_bgr, hex_to_rgb

# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
SIMULATIONS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@pytest.mark.parametrize("matrix", SIMULATIONS.values(), ids=SIMULATIONS)
def test_emotions_differ_for_colour_blind_readers(matrix: np.ndarray) -> None:
    rgb = np.array([hex_to_rgb(color) for color in EMOTION_HEX.values()]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(matrix).T, 0, 1)
    lab = rgb2lab(np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)[None])[0]
    names = list(map(str, EMOTION_HEX))
    close = {
        (names[one], names[two]): round(float(deltaE_ciede2000(lab[one], lab[two])), 1)
        for one, two in combinations(range(len(names)), 2)
    }
    assert {pair: difference for pair, difference in close.items() if difference < 17} == {}


def test_hex_colours() -> None:
    assert hex_to_bgr(FACE_HEX) == hex_to_rgb(FACE_HEX)[::-1]
    with pytest.raises(ValueError, match="#RRGGBB"):
        hex_to_rgb("red")
