from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.errors import find_age_errors, find_class_errors
from core.evaluation.predictions import Predictions
from core.types import EMOTIONS
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions


def _emotions(ids: list[str], truth: list[int], probabilities: np.ndarray) -> Predictions:
    return Predictions("emotion", np.array(ids), {"emotion": np.array(truth)}, {"emotion": probabilities})


def test_most_confident_errors_come_first() -> None:
    probabilities = np.eye(7, dtype=np.float32)[[0, 1, 2]] * 0.3 + np.float32(0.1)
    probabilities[1] = [0, 0.9, 0.1, 0, 0, 0, 0]
    first, second = find_class_errors(_emotions(["right", "sure", "unsure"], [0, 3, 3], probabilities), "emotion", 5)
    assert (first.sample_id, first.truth, first.predicted) == ("sure", "happy", "disgust")
    assert first.caption == "happy → disgust 90%"
    assert second.sample_id == "unsure"


@pytest.mark.parametrize("count", [0, 1, 7])
def test_not_more_than_asked_for(count: int) -> None:
    assert len(find_class_errors(emotion_predictions(), "emotion", count)) <= count
    assert len(find_class_errors(age_gender_predictions(), "gender", count)) <= count
    assert len(find_age_errors(age_gender_predictions(), count)) == count


def test_a_perfect_model_has_no_errors() -> None:
    perfect = _emotions(list(EMOTIONS), list(range(7)), np.eye(7, dtype=np.float32))
    assert find_class_errors(perfect, "emotion", 5) == ()


def test_largest_age_errors_come_first() -> None:
    predictions = age_gender_predictions()
    errors = dict(zip(predictions.ids.tolist(), abs(predictions.age_errors), strict=True))
    found = [errors[error.sample_id] for error in find_age_errors(predictions, 10)]
    assert found == sorted(errors.values(), reverse=True)[:10]
