"""Calibration of made-up outputs whose right calibration is known, and its place in the evaluation."""

import json

import numpy as np
import pytest

from core.age_groups import AGE_GROUPS
from core.artifacts.model_card import SEVERAL_VIEWS_FILE, SEVERAL_VIEWS_KEY, load_card
from core.artifacts.storage import from_json, sha256_of
from core.attributes.postprocessing import (
    AgeCalibration,
    apply_temperature,
    estimate_ages,
    normalize_rows,
    postprocess_outputs,
)
from core.datasets.samples import Samples
from core.datasets.splits import load_fer2013
from core.errors import DatasetError
from core.evaluation import predict
from core.evaluation.metrics import bracket_indices
from core.evaluation.predictions import load_predictions
from models import evaluate
from models.measuring.calibration import (
    fit_age_calibration,
    fit_calibration,
    fit_confidence_threshold,
    fit_temperature,
)
from tests.fakes.evaluation import card_dict, write_fer2013_csv

COUNT = 4000


class CountingEstimator:
    """Answers by the first pixels, and counts what it was asked."""

    def __init__(self, folder):
        self.card = load_card(folder)
        self.asked = 0

    def predict(self, crops):
        self.asked += len(crops)
        scores = crops[:, 0, :7, 0].astype(np.float32) + 1
        return {"emotion": scores / scores.sum(axis=1, keepdims=True)}


def gaussian_ages(means, sigma):
    years = np.arange(101)
    shares = np.exp(-((years - np.asarray(means)[:, None]) ** 2) / (2 * sigma**2))
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32)


def drawn_classes(classes, count=COUNT, seed=0):
    """True probabilities and labels drawn by them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.7), count)
    truth = (probabilities.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return probabilities, np.minimum(truth, classes - 1).astype(np.int64)


def drawn_ages(seed, count=COUNT):
    """Old people taken for younger, with intervals that are half as wide as the errors, and babies too wide."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 96, count)
    error = np.where(truth < 3, 0.5, 8.0) * rng.standard_normal(count) - np.maximum(truth - 50, 0) * 0.3
    return gaussian_ages(np.clip(truth + error, 0, 100), 4.0), truth


def samples_of(labels, count):
    return Samples(
        ids=np.array([f"face_{row}" for row in range(count)]),
        images=np.zeros((count, 2, 2, 3), np.uint8),
        labels=labels,
    )


@pytest.mark.parametrize("distortion", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("classes", [2, 7])
def test_temperature_undoes_distortion(classes, distortion):
    probabilities, truth = drawn_classes(classes)
    distorted = normalize_rows(probabilities**distortion).astype(np.float32)
    assert fit_temperature(distorted, truth) == pytest.approx(distortion, rel=0.08)


def two_classes(confidence, correct):
    return np.stack([confidence, 1 - np.array(confidence)], axis=1), np.where(correct, 0, 1)


# From a confidence of 0.7 on, 9 of 10 are correct; from 0.6 on, 9 of 11.
RISING = two_classes([0.6, 0.7, *[0.9] * 9], [False, False, *[True] * 9])
HALF_CORRECT = two_classes([0.99] * 4, [True, True, False, False])


@pytest.mark.parametrize(
    ("predictions", "options", "threshold"),
    [
        (RISING, {}, 0.601),
        (RISING, {"target_accuracy": 0.95}, 0.701),
        (RISING, {"target_accuracy": 0.8}, 0.501),
        (two_classes([0.55] * 4, [True] * 4), {}, 0.501),
        ((np.eye(7), np.arange(7)), {}, 0.143),
        (HALF_CORRECT, {}, 0.75),
        (HALF_CORRECT, {"most": 0.6}, 0.6),
    ],
    ids=["default", "higher", "lower", "accurate", "seven classes", "out of reach", "bounded"],
)
def test_threshold_is_the_lowest_that_reaches_the_target(predictions, options, threshold):
    assert fit_confidence_threshold(*predictions, **options) == threshold


def test_age_interval_holds_in_every_bracket():
    scale = fit_age_calibration(*drawn_ages(seed=0))
    distribution, truth = drawn_ages(seed=1)
    mean, low, high = estimate_ages(distribution, scale)
    covered, bracket = (low <= truth) & (truth <= high), bracket_indices(truth)
    by_bracket = np.array([covered[bracket == row].mean() for row in range(9)])
    assert covered.mean() == pytest.approx(0.8, abs=0.02)
    assert ((by_bracket >= 0.7) & (by_bracket <= 0.9)).all(), by_bracket
    plain_mean, plain_low, plain_high = estimate_ages(distribution, AgeCalibration(scale=(2.0,)))
    plain = (plain_low <= truth) & (truth <= plain_high)
    assert plain[truth >= 80].mean() < 0.7
    assert plain[truth < 3].mean() > 0.9
    assert (high - mean)[truth >= 80].mean() > (mean - low)[truth >= 80].mean()
    assert np.array_equal(mean, plain_mean)


def test_empty_brackets_get_the_scale_of_neighbours():
    rng = np.random.default_rng(0)
    truth = rng.integers(20, 40, 500)
    distribution = gaussian_ages(truth + 8 * rng.standard_normal(500), 4.0)
    fitted = fit_age_calibration(distribution, truth)
    scale = dict(zip(fitted.knots, fitted.scale, strict=True))
    assert [scale[80.0], scale[65.0], scale[55.0]] == pytest.approx([scale[45.0]] * 3)
    assert scale[1.0] == pytest.approx(scale[6.0])
    assert scale[25.0] == pytest.approx(2.0, rel=0.25)


@pytest.mark.parametrize("count", [1, 14])
def test_few_faces_suffice(count):
    probabilities, truth = drawn_classes(2, count)
    distribution, ages = drawn_ages(0, count)
    outputs = {"age": distribution, "gender": probabilities.astype(np.float32)}
    fitted = fit_calibration(outputs, {"age": ages, "gender": truth})
    scale = from_json(AgeCalibration, json.loads(json.dumps(fitted))["age_calibration"])
    years, low, high = estimate_ages(distribution, scale)
    assert ((low <= years) & (years <= high) & np.isfinite(high)).all()
    assert 0.2 < fitted["temperature"]["gender"] <= 20


def test_emotion_gets_temperature_and_threshold():
    probabilities, truth = drawn_classes(7, 300)
    outputs = {"emotion": normalize_rows(probabilities**2).astype(np.float32)}
    fitted = fit_calibration(outputs, {"emotion": truth})
    assert set(fitted) == {"temperature", "min_confidence"}
    answered = apply_temperature(outputs["emotion"], fitted["temperature"]["emotion"])
    assert fitted["min_confidence"] == {"emotion": fit_confidence_threshold(answered, truth)}


def test_calibration_needs_images():
    outputs = {"emotion": np.empty((0, 7), np.float32)}
    with pytest.raises(DatasetError, match="no images to calibrate on"):
        fit_calibration(outputs, {"emotion": np.empty(0, np.int64)})


@pytest.fixture
def artifact(tmp_path, monkeypatch):
    """An artifact ``emotion`` whose network is a ``CountingEstimator``, two validation and 12 test images, and the
    estimators that were made."""
    made = []

    def counting(folder):
        made.append(CountingEstimator(folder))
        return made[-1]

    for module in (evaluate, predict):
        monkeypatch.setattr(module, "LiteRTEstimator", counting)
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    folder = tmp_path / "emotion"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(b"network")
    files = {"model.tflite": {"bytes": 7, "sha256": sha256_of(folder / "model.tflite")}}
    (folder / "card.json").write_text(json.dumps(card_dict("emotion", "emotion", metrics={}, files=files)))
    return folder, write_fer2013_csv(tmp_path / "data"), made


def test_store_runs_each_split_once_and_calibrates(artifact, capsys):
    folder, data_dir, made = artifact
    assert evaluate.main(["emotion", "--data", str(data_dir), "--store", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert sum(estimator.asked for estimator in made) == 2 + 12
    card, stored = load_card(folder), load_predictions(folder / "predictions.npz")
    data = load_fer2013(data_dir)
    for split, predictions in stored.items():
        outputs = CountingEstimator(folder).predict(data.splits[split].images)
        served = postprocess_outputs(outputs, card.temperature, card.age_calibration).probabilities["emotion"]
        assert predictions.probabilities["emotion"] == pytest.approx(served, abs=1e-6)
        assert dict(card.metrics[split]) == evaluate.compute_metrics(predictions, card)
    assert printed.items() >= card.metrics["private"].items()
    assert {"ece", "ece_before", "brier", "kept_share"} <= set(printed)
    assert card.temperature["emotion"] != 1.0
    assert card.min_confidence["emotion"] > 0
    made.clear()
    assert evaluate.main(["emotion", "--data", str(data_dir), "--json"]) == 0
    assert json.loads(capsys.readouterr().out).items() >= card.metrics["private"].items()
    assert sum(estimator.asked for estimator in made) == 12


def test_several_views_are_stored_beside_the_predictions(artifact, capsys):
    folder, data_dir, made = artifact
    assert evaluate.main(["emotion", "--data", str(data_dir), "--views", "3", "--store", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["views"] == 3
    assert sum(estimator.asked for estimator in made) == 3 * (2 + 12)
    card, stored = load_card(folder), load_predictions(folder / SEVERAL_VIEWS_FILE)
    assert {split: len(predictions) for split, predictions in stored.items()} == {"public": 2, "private": 12}
    assert printed.items() >= card.raw[SEVERAL_VIEWS_KEY]["private"].items()
    assert card.files[SEVERAL_VIEWS_FILE]["bytes"] == (folder / SEVERAL_VIEWS_FILE).stat().st_size
    assert card.metrics == {}


def test_detector_is_refused(artifact, capsys):
    folder, data_dir, _ = artifact
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"task": "detection"}))
    assert evaluate.main(["emotion", "--data", str(data_dir)]) == 2
    assert "evaluate detector" in capsys.readouterr().err


def test_regressed_age_gets_an_interval():
    def drawn(seed):
        rng = np.random.default_rng(seed)
        truth = rng.integers(0, 90, COUNT)
        years = truth + np.where(truth < 10, 2.0, 9.0) * rng.standard_normal(COUNT)
        return years.astype(np.float32)[:, None], truth

    years, truth = drawn(0)
    fitted = fit_calibration({"age": years}, {"age": truth})
    assert fitted["temperature"] == fitted["min_confidence"] == {}
    scale = from_json(AgeCalibration, fitted["age_calibration"])
    years, truth = drawn(1)
    _, low, high = estimate_ages(years, scale)
    covered = (low <= truth) & (truth <= high)
    assert covered.mean() == pytest.approx(0.8, abs=0.03)
    assert covered[truth < 8].mean() == pytest.approx(0.8, abs=0.06)
    assert (high - low)[truth > 30].mean() > 3 * (high - low)[truth < 5].mean()


def test_age_groups_are_calibrated_with_an_interval():
    probabilities, truth = drawn_classes(8)
    middles = np.array([(first + last) / 2 for first, last in AGE_GROUPS])
    ages = np.round(middles[truth]).astype(np.int64)
    distorted = normalize_rows(probabilities**1.7).astype(np.float32)
    gender = np.full((COUNT, 2), 0.5, np.float32)
    labels = {"age": ages, "gender": np.zeros(COUNT, np.int64)}
    fitted = fit_calibration({"age_group": distorted, "gender": gender}, labels)
    assert fitted["temperature"]["age_group"] == pytest.approx(1.7, rel=0.08)
    assert set(fitted["min_confidence"]) == {"age_group", "gender"}
    scale = from_json(AgeCalibration, fitted["age_calibration"])
    age = postprocess_outputs({"age_group": distorted}, fitted["temperature"], scale).age
    covered = (age.low <= ages) & (ages <= age.high)
    assert covered.mean() == pytest.approx(0.8, abs=0.03)
