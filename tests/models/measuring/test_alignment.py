"""Fitting the alignment to a detector, with a fake detector and the tiny network."""

import numpy as np
import pytest

from core.attributes.estimator import LiteRTEstimator
from core.datasets.splits import load_fer2013
from core.types import Box, Detection, Landmarks
from models.measuring import alignment

POINTS = Landmarks((110.0, 120.0), (176.0, 120.0), (144.0, 155.0), (120.0, 190.0), (170.0, 190.0))


class CenteredFace:
    """A detector that always finds one face in the middle of a padded image, but for the ``missed``-th."""

    def __init__(self, landmarks=None, missed=None):
        self._face = Detection(Box(64, 64, 224, 224), 0.9, landmarks)
        self._missed = missed
        self._calls = -1

    def detect(self, frame):
        self._calls += 1
        return () if self._calls == self._missed else (self._face,)


def test_alignment_without_landmarks_searches_scale_and_shift(emotion_artifact, fer2013_dir):
    estimator, private = LiteRTEstimator(emotion_artifact), load_fer2013(fer2013_dir).splits["private"]
    rows, images = alignment.detect_padded(private, CenteredFace(missed=3))
    assert rows.tolist() == [row for row in range(len(private)) if row != 3]
    found = private.take(rows)
    spec = alignment.choose_alignment(estimator, found, images, alignment.AlignmentSpec(points=POINTS.points))
    assert spec.points == POINTS.points
    assert spec.scale in alignment.SCALES
    assert spec.shift_y in alignment.SHIFTS_Y
    assert alignment.measure_aligned(estimator, found, images, spec)["n"] == len(private) - 1


def test_alignment_uses_landmarks_where_there_are_any(emotion_artifact, fer2013_dir):
    estimator, private = LiteRTEstimator(emotion_artifact), load_fer2013(fer2013_dir).splits["private"]
    _, images = alignment.detect_padded(private, CenteredFace(POINTS))
    # 48 of the 288 pixels are padding on each side.
    expected = (np.array(POINTS.points) - 48) / 192
    expected[:, 0] = (expected[:, 0] + (1 - expected[[1, 0, 2, 4, 3], 0])) / 2
    assert alignment.mean_landmarks(images) == pytest.approx(expected)
    spec = alignment.choose_alignment(estimator, private, images, alignment.AlignmentSpec(1.3, 0.1))
    assert (spec.scale, spec.shift_y) == (1.3, 0.1)
    assert spec.points is not None
    rotated = alignment.measure_rotated(estimator, private, CenteredFace(POINTS), spec)
    assert list(rotated) == ["0", "15", "30", "45"]
    assert rotated["0"]["aligned"]["n"] == rotated["0"]["upright"]["n"] == rotated["0"]["found"] == len(private)
