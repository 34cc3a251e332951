import numpy as np
import pytest

from core.detection import FaceArrays
from core.types import Box, Detection, Landmarks

POINTS = ((1.0, 2.0), (3.0, 2.0), (2.0, 3.0), (1.0, 4.0), (3.0, 4.0))
DETECTIONS = (Detection(Box(0, 0, 4, 9), 0.5, Landmarks(*POINTS)), Detection(Box(5, 5, 6, 7), 0.8))


def test_detections_survive_the_round_trip():
    faces = FaceArrays.from_detections(DETECTIONS)
    assert faces.to_detections() == DETECTIONS
    assert faces.sizes().tolist() == [6, np.sqrt(2)]
    assert np.isnan(faces.landmarks[1]).all()


def test_no_faces_are_empty_arrays():
    faces = FaceArrays.from_detections(())
    assert (len(faces), faces.xyxy.shape, faces.landmarks.shape, faces.to_detections()) == (0, (0, 4), (0, 5, 2), ())


def test_faces_are_merged_sorted_and_scaled():
    faces = FaceArrays.from_detections(DETECTIONS)
    both = FaceArrays.merge([faces, faces]).best_first()
    assert both.scores.tolist() == [0.8, 0.8, 0.5, 0.5]
    scaled = both.take(both.scores < 0.6).scale((2, 10))
    assert scaled.xyxy[0].tolist() == [0, 0, 8, 90]
    assert scaled.landmarks[1, 4].tolist() == [6, 40]


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"1 scores need boxes \(1, 4\)"):
        FaceArrays(np.zeros((2, 4)), np.zeros(1), np.zeros((1, 5, 2)))
