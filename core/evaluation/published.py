"""What others report for the data sets that ours are measured on, to stand beside the leaderboard.

Typed in from their papers and repositories, because nothing here can compute them. Protocols differ, so they are never
ranked among measured figures: ``how`` says what sets each apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.evaluation.measures import Measure


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """``value`` is in the unit of the measure: a share in [0, 1] or years; ``parameters`` is ``None`` if not stated."""

    name: str
    value: float
    parameters: int | None
    how: str
    source: str


_CHALLENGE = "Goodfellow et al. 2013, arXiv:1307.0414"
_MASKING = "Pham, Vu & Tran, ICPR 2020"
_BENCHMARK = "Paplhám & Franc, CVPR 2024, arXiv:2307.04570"
_MWR = "Shin, Lee & Kim, CVPR 2022"
_MIVOLO = "Kuprashevich & Tolstykh 2023, arXiv:2307.04616"
_FACE_API = "github.com/justadudewhohacks/face-api.js"
_QWYT = "repository of qwyt, MobileNetV3-Small for age and gender"
_OWN_FIFTH = "measured on a fifth of the images of its own choice"
_OWN_EIGHTH = "measured on 12 % of the images of its own choice"
_SWAPPED = "on PublicTest, with the epoch chosen on PrivateTest"
_FIVE_FOLDS = "all ages, mean of five folds"

PUBLISHED: Mapping[str, tuple[PublishedFigure, ...]] = {
    "emotion": (
        PublishedFigure("People", 0.65, None, "give or take 5 points", _CHALLENGE),
        PublishedFigure("Winner of the challenge of 2013", 0.712, None, "", _CHALLENGE),
        PublishedFigure("TinyFER-Lite", 0.671, 930_000, "starts from ImageNet weights", "its paper, 2026"),
        PublishedFigure("LANMSFF", 0.7044, 360_000, "images of 64 x 64 pixels", "arXiv:2403.14318"),
        PublishedFigure(
            "MicroExpNet of 2026", 0.712, 1_200_000, "taught by a ResNet-50 that knew VGGFace2", "Rejina 2026"
        ),
        PublishedFigure(
            "VGG variant",
            0.733,
            29_900_000,
            f"mean of ten crops; {_SWAPPED}",
            "Khaireddin & Chen, arXiv:2105.03588",
        ),
        PublishedFigure(
            "ResNet-18",
            0.737,
            11_000_000,
            _SWAPPED,
            "github.com/LetheSec/Fer2013-Facial-Emotion-Recognition-Pytorch",
        ),
        PublishedFigure(
            "ResMaskingNet", 0.741, 143_000_000, "starts from ImageNet weights; mean of ten views", _MASKING
        ),
        PublishedFigure("ResMaskingNet and others together", 0.768, None, "mean of several networks", _MASKING),
    ),
    "gender": (
        PublishedFigure("face-api.js", 0.93, None, _OWN_FIFTH, _FACE_API),
        PublishedFigure("MobileNetV3-Small", 0.939, None, _OWN_EIGHTH, _QWYT),
    ),
    "gender_published": (
        PublishedFigure("MiVOLO, face only", 0.977, 27_000_000, "ages 21 to 60; learnt from more photographs", _MIVOLO),
    ),
    "age": (
        PublishedFigure("face-api.js", 5.25, None, _OWN_FIFTH, _FACE_API),
        PublishedFigure("MobileNetV3-Small", 4.73, None, _OWN_EIGHTH, _QWYT),
        PublishedFigure("MobileAgeNet", 4.65, 3_200_000, "measured on images held out", "its paper, 2026"),
        PublishedFigure("ResNet-50", 4.38, None, _FIVE_FOLDS, _BENCHMARK),
        PublishedFigure("FaRL with a small head", 3.87, None, _FIVE_FOLDS, _BENCHMARK),
    ),
    "age_published": (
        PublishedFigure("MWR", 4.37, None, "this split; starts from weights learnt on IMDB-WIKI", _MWR),
        PublishedFigure("MiVOLO, face only", 4.23, 27_000_000, "ages 21 to 60; learnt from more photographs", _MIVOLO),
    ),
}
"""Key of a measure -> figures of others."""


def published_for(measure: Measure) -> tuple[PublishedFigure, ...]:
    """Best first."""
    figures = PUBLISHED.get(measure.key, ())
    return tuple(sorted(figures, key=lambda one: one.value, reverse=not measure.lower_is_better))
