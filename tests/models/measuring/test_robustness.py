"""Measuring on corrupted images: with fakes, and through the command line with the served emotion network."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, ROBUSTNESS_FILE, SERVED_FILE, AlignmentSpec, load_card
from core.datasets.samples import Samples
from core.datasets.splits import load_utkface
from core.errors import ArtifactCorruptError, ConfigError
from core.evaluation.predict import evaluate_estimator
from core.evaluation.robustness import load_report
from core.tasks import TASKS
from models.corruptions import CORRUPTIONS, SEVERITIES
from models.measuring import robustness
from models.measuring.robustness import CLEAN, corrupt_samples, corruptions_for, measure, predict_conditions
from tests.fakes.core import AGE_GENDER_CARD, EMOTION_CARD, FakeEstimator
from tests.fakes.evaluation import write_fer2013_csv

POINTS = ((0.32, 0.38), (0.68, 0.38), (0.5, 0.6), (0.36, 0.75), (0.64, 0.75))
CHANGES = {"crop": AlignmentSpec(points=POINTS), "files": {SERVED_FILE: {"bytes": 1, "sha256": "a" * 64}}}
CARDS = {"emotion": replace(EMOTION_CARD, **CHANGES), "age_gender": replace(AGE_GENDER_CARD, **CHANGES)}


def samples_of(task, count, size=16):
    rng = np.random.default_rng(0)
    channels = CARDS[task].channels
    labels = {"emotion": rng.integers(0, 7, count)}
    if task == "age_gender":
        labels = {name: rng.integers(0, top, count) for name, top in (("age", 100), ("gender", 2), ("race", 5))}
    images = rng.integers(0, 256, (count, 1, 1, 1)) + rng.integers(-40, 40, (count, size, size, channels))
    ids = np.array([f"face_{row}" for row in range(count)])
    return Samples(ids, np.clip(images, 0, 255).astype(np.uint8), labels)


@pytest.mark.parametrize("task", CARDS)
def test_report_has_clean_metrics_and_every_corruption(task):
    samples, estimator = samples_of(task, 70), FakeEstimator(replace(CARDS[task], temperature={"emotion": 2.0}))
    report = measure(estimator, samples)
    assert [corruption.name for corruption in report.corruptions] == [*CORRUPTIONS, "glasses", "mask"]
    assert report.corruptions[0].levels == CORRUPTIONS["low_light"].levels
    assert (report.images, report.split_images, report.limited_by) == (70, 70, "none")
    assert (report.task, report.model_sha256) == (task, "a" * 64)
    assert report.split == TASKS[task].test_split.name
    gap = np.mean([metrics.confidence - metrics.accuracy.value for metrics in report.conditions[1:]])
    assert report.corrupted_ece >= abs(gap) - 1e-6, "bins cannot cancel each other out"
    plain, output = evaluate_estimator(estimator, samples), TASKS[task].outputs[-1]
    assert report.clean.accuracy.value == (plain.predicted(output) == plain.truth[output]).mean()
    assert report.clean.confidence == pytest.approx(plain.probabilities[output].max(axis=1).mean())
    if task == "age_gender":
        assert report.clean.age_mae.value == pytest.approx(np.abs(plain.age_errors).mean())
    else:
        assert report.clean.confidence < 0.6, "without the temperature it is 0.9"


def test_outputs_of_a_condition_are_those_on_its_images():
    samples, suite = samples_of("emotion", 70, size=8), corruptions_for(CARDS["emotion"])
    estimator, done = FakeEstimator(CARDS["emotion"]), []
    outputs = predict_conditions(estimator, samples, suite, seed=3, progress=done.append)
    assert (sum(done), len(done)) == (70 * 61, 3 * 61)
    assert set(outputs) == {CLEAN, *((name, severity) for name in suite for severity in SEVERITIES)}
    np.testing.assert_array_equal(outputs[CLEAN]["emotion"], estimator.predict(samples.images)["emotion"])
    for name, severity in (("low_light", 5), ("bar", 2)):
        images = corrupt_samples(samples, name, suite[name], severity, 3)
        np.testing.assert_array_equal(outputs[name, severity]["emotion"], estimator.predict(images)["emotion"])


@pytest.mark.parametrize("name", ["noise", "shift", "glasses"])
def test_a_corruption_depends_on_seed_and_image_only(name):
    samples, corruption = samples_of("emotion", 12), corruptions_for(CARDS["emotion"])[name]
    all_of_them = corrupt_samples(samples, name, corruption, 4, seed=0)
    rows = np.array([7, 2])
    np.testing.assert_array_equal(corrupt_samples(samples.take(rows), name, corruption, 4, seed=0), all_of_them[rows])
    assert (corrupt_samples(samples, name, corruption, 4, seed=1) != all_of_them).any()


def test_a_bar_stays_in_place_when_it_grows():
    samples = samples_of("emotion", 6, size=48)
    covered = []
    for severity in (1, 5):
        images = corrupt_samples(samples, "bar", CORRUPTIONS["bar"], severity, seed=0)
        covered.append((images == images[:, :, :1]).all(axis=(2, 3)))
    assert covered[0].any(axis=1).all()
    assert covered[1][covered[0]].all()


def test_smaller_limits_are_subsets():
    samples = samples_of("emotion", 50)
    seen = {}
    for limit in (5, 10):
        estimator = FakeEstimator(CARDS["emotion"])
        report = measure(estimator, samples, limit=limit, seed=1)
        assert (report.images, report.split_images, report.limited_by) == (limit, 50, "limit")
        seen[limit] = {crop.tobytes() for batch in estimator.batches if len(batch) == limit for crop in batch}
    assert seen[5] <= seen[10]


class Clock:
    """Ten seconds pass between calls."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        self.now_s += 10
        return self.now_s


@pytest.mark.parametrize(("budget_s", "images"), [(1, 32), (20, 64), (35, 96), (60, 110)])
def test_time_budget_keeps_the_first_images(budget_s, images):
    samples = samples_of("emotion", 110)
    report = measure(FakeEstimator(CARDS["emotion"]), samples, budget_s=budget_s, clock=Clock())
    assert (report.images, report.split_images) == (images, 110)
    assert report.limited_by == ("none" if images == 110 else "time")
    # A limit is kept however long it takes.
    same = measure(FakeEstimator(CARDS["emotion"]), samples, limit=images, budget_s=1, clock=Clock())
    assert (same.fingerprint, same.clean, same.corruptions) == (report.fingerprint, report.clean, report.corruptions)


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (replace(CARDS["emotion"], task="detection"), "measured for emotion, age_gender"),
        (replace(CARDS["emotion"], crop=AlignmentSpec()), r"where eyes and mouth are.*models alignment emotion"),
    ],
    ids=["a detector", "no points"],
)
def test_unsupported_cards_are_refused(card, message):
    with pytest.raises(ConfigError, match=message):
        corruptions_for(card)


def test_utkface_is_read_in_full_size(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "UTKFace"
    folder.mkdir()
    for row in range(40):
        image = cv2.resize(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8), (200, 200))
        cv2.imwrite(str(folder / f"{20 + row}_{row % 2}_{row % 5}_2017{row:04d}.jpg.chip.jpg"), image)
    samples = robustness.read_test_split("age_gender", tmp_path)
    expected = load_utkface(tmp_path, 200).splits["test"]
    assert 0 < len(samples) < 40
    np.testing.assert_array_equal(samples.ids, expected.ids)
    np.testing.assert_array_equal(samples.images, expected.images)
    np.testing.assert_array_equal(samples.labels["age"], expected.labels["age"])


@pytest.fixture
def emotion(tmp_path, monkeypatch):
    """A copy of the served emotion network, and twelve made-up images on the test split."""
    folder = tmp_path / "artifacts" / "emotion"
    shutil.copytree(ARTIFACTS_DIR / "emotion", folder, ignore=shutil.ignore_patterns("*.keras", ROBUSTNESS_FILE))
    monkeypatch.setenv("FACET_ARTIFACTS", str(folder.parent))
    write_fer2013_csv(tmp_path / "data")
    return folder


def run(emotion, *arguments):
    return robustness.main([emotion.name, "--data", str(emotion.parents[1] / "data"), *arguments])


def test_command_stores_the_report_and_lists_it(emotion, capsys):
    before = json.loads((emotion / "card.json").read_text())
    assert run(emotion) == 0
    out, err = capsys.readouterr()
    card = load_card(emotion)
    report = load_report(emotion, card)
    assert (report.images, report.split_images, report.split, report.limited_by) == (12, 12, "private", "none")
    assert "12 of 12 images" in out
    assert f"mean_corrupted_accuracy    {report.mean_corrupted('accuracy'):.4f}" in out
    assert "732/732" in err
    after = json.loads((emotion / "card.json").read_text())
    assert after["files"].keys() == before["files"].keys() - {"model.keras"} | {ROBUSTNESS_FILE}
    changed = ("files", "not_included")
    assert {k: v for k, v in after.items() if k not in changed} == {k: v for k, v in before.items() if k not in changed}


def test_limit_and_seed_are_passed_on_and_reports_of_replaced_networks_refused(emotion):
    assert run(emotion, "--limit", "5", "--seed", "3") == 0
    report = load_report(emotion, load_card(emotion))
    assert (report.images, report.seed, report.limited_by) == (5, 3, "limit")
    with pytest.raises(ArtifactCorruptError, match="was replaced"):
        robustness.store(emotion, replace(report, model_sha256="a" * 64))
    assert load_report(emotion, load_card(emotion)) == report
