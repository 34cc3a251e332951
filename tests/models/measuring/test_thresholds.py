import pytest

from core.artifacts.model_card import load_card
from models.measuring import thresholds
from models.measuring.calibration import fit_confidence_threshold
from tests.fakes.evaluation import emotion_predictions, write_artifact


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    splits = {"public": emotion_predictions(seed=1), "private": emotion_predictions(seed=2)}
    metrics = {split: {"accuracy": 0.6, "kept_share": 1.0, "kept_accuracy": 0.6} for split in splits}
    return write_artifact(tmp_path, "emotion", "emotion", splits, metrics=metrics, min_confidence={"emotion": 0.2})


def test_thresholds_are_refitted_on_the_validation_split_and_measured_on_both(folder, capsys):
    validation, test = emotion_predictions(seed=1), emotion_predictions(seed=2)
    threshold = fit_confidence_threshold(validation.probabilities["emotion"], validation.truth["emotion"])
    assert thresholds.main([]) == 0
    assert capsys.readouterr().out.split() == ["emotion", "emotion", str(threshold)]
    card = load_card(folder)
    assert card.min_confidence == {"emotion": threshold}
    kept = test.probabilities["emotion"].max(axis=1) >= threshold
    correct = test.predicted("emotion") == test.truth["emotion"]
    assert card.metrics["private"] == pytest.approx(
        {"accuracy": 0.6, "kept_share": kept.mean(), "kept_accuracy": correct[kept].mean()}
    )


def test_unknown_artifact_is_an_error(folder, capsys):
    assert thresholds.main(["nobody"]) == 2
    assert "no artifact 'nobody'" in capsys.readouterr().err
