from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.errors import age_mistakes, class_mistakes
from core.evaluation.predictions import Predictions
from core.types import EMOTIONS
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions


def test_surest_mistakes_come_first_and_right_answers_never() -> None:
    probabilities = np.eye(7, dtype=np.float32)[[0, 1, 2]] * 0.3 + np.float32(0.1)
    probabilities[1] = [0, 0.9, 0.1, 0, 0, 0, 0]
    predictions = Predictions(
        "emotion", np.array(["right", "sure", "unsure"]), {"emotion": np.array([0, 3, 3])}, {"emotion": probabilities}
    )
    first, second = class_mistakes(predictions, "emotion", 5)
    assert (first.sample_id, first.truth, first.answer) == ("sure", "happy", "disgust")
    assert first.caption == "happy → disgust 90%"
    assert second.sample_id == "unsure"


@pytest.mark.parametrize("count", [0, 1, 7])
def test_not_more_than_asked_for(count: int) -> None:
    assert len(class_mistakes(emotion_predictions(), "emotion", count)) <= count
    assert len(class_mistakes(age_gender_predictions(), "gender", count)) <= count
    assert len(age_mistakes(age_gender_predictions(), count)) == count


def test_a_perfect_model_makes_none() -> None:
    perfect = Predictions(
        "emotion", np.array(list(EMOTIONS)), {"emotion": np.arange(7)}, {"emotion": np.eye(7, dtype=np.float32)}
    )
    assert class_mistakes(perfect, "emotion", 5) == ()


def test_worst_ages_come_first() -> None:
    predictions = age_gender_predictions()
    errors = dict(zip(predictions.ids.tolist(), abs(predictions.age_errors), strict=True))
    found = [errors[mistake.sample_id] for mistake in age_mistakes(predictions, 10)]
    assert found == sorted(errors.values(), reverse=True)[:10]
