"""Hand-written stand-ins for the outside things: detector and networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import ModelCard
from core.errors import FacetError
from core.settings import Attributes, DetectorSettings
from core.types import AgeEstimate, Analysis, Box, Detection, EmotionEstimate, Face, GenderEstimate
from tests.fakes.evaluation import card_dict

EMOTION_CARD = ModelCard.from_dict(
    card_dict("emotion", "emotion", input={"size": 8, "channels": 1}, crop={"scale": 1.0, "shift_y": 0.0})
)
AGE_GENDER_CARD = replace(EMOTION_CARD, name="age_gender", task="age_gender", channels=3)


CHILD = Face(
    Detection(Box(4, 4, 44, 44), 0.9),
    EmotionEstimate((0.02, 0.02, 0.02, 0.85, 0.03, 0.03, 0.03)),
    AgeEstimate(7.4, 5, 10),
    GenderEstimate((0.3, 0.7)),
)


class FakeAnalyzer:
    """Finds ``count`` happy children of seven in every image, unless it is broken."""

    def __init__(self, count: int = 1, error: FacetError | None = None) -> None:
        self.count = count
        self.error = error
        self.calls: list[tuple[tuple[int, ...], Attributes]] = []
        self.settings: list[DetectorSettings] = []

    def analyze(self, frame: NDArray[np.uint8], attributes: Attributes = Attributes()) -> Analysis:
        self.calls.append((frame.shape, attributes))
        if self.error is not None:
            raise self.error
        face = Face(CHILD.detection, **{name: getattr(CHILD, name) for name in attributes.read})
        height, width = frame.shape[:2]
        return Analysis(width, height, tuple(self._move(face, number) for number in range(self.count)), 5.0)

    def _move(self, face: Face, x: int) -> Face:
        return replace(face, detection=replace(face.detection, box=Box(4 + x, 4, 44 + x, 44)))


class FakeDetector:
    """Answers the same boxes for every frame."""

    def __init__(self, *boxes: Box, score: float = 0.9) -> None:
        self.detections = tuple(Detection(box, score) for box in boxes)
        self.calls = 0

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        self.calls += 1
        return self.detections


class FakeEstimator:
    """Answers from the crops' mean grey level, so that tests can see which crop an answer belongs to."""

    def __init__(self, card: ModelCard = EMOTION_CARD) -> None:
        self.card = card
        self.batches: list[NDArray[np.uint8]] = []

    def predict(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        self.batches.append(crops.copy())
        levels = crops.reshape(len(crops), -1).mean(axis=1)
        if self.card.task == "emotion":
            return {"emotion": _peaks((levels / 256 * 7).astype(int), 7, 0.9)}
        return {
            "age": _peaks((levels / 256 * 101).astype(int), 101, 0.99),
            "gender": _peaks((levels >= 128).astype(int), 2, 0.8),
        }


def _peaks(where: NDArray[np.int64] | Sequence[int], width: int, share: float) -> NDArray[np.float32]:
    rows = np.full((len(where), width), (1 - share) / (width - 1), np.float32)
    rows[np.arange(len(where)), where] = share
    return rows
