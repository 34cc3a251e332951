"""What the detectors must reach on the test photographs, from stored results; and that these belong to the model."""

import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, DETECTOR_ARTIFACT, load_card
from core.datasets.faces import load_faces
from core.detection import create_detector
from core.evaluation.detection.conditions import ENLARGED, LIVE, ORIGINAL
from core.evaluation.detection.metrics import condition_report, recompute
from core.evaluation.detection.report import summary_metrics
from core.evaluation.detection.runner import detect_photos
from core.evaluation.detection.store import load_numbers, load_report

FOLDER = ARTIFACTS_DIR / DETECTOR_ARTIFACT
RERUN = 120


@pytest.fixture(scope="module")
def report():
    return load_report(FOLDER)


@pytest.mark.parametrize(("condition", "recall"), [(ORIGINAL, 0.97), (ENLARGED, 0.97), (LIVE, 0.95)], ids=str)
def test_recall_is_high_at_few_false_positives(report, condition, recall):
    measured = report.detectors["compact"].conditions[condition.name]
    assert measured.recall.value >= recall
    assert measured.fppi <= 0.15


def test_it_is_many_times_as_fast_as_haar(report):
    def median_ms(name):
        latencies = report.detectors[name].latencies
        return next(t.median_ms for t in latencies if t.live and (t.width, t.height) == (640, 480))

    assert median_ms("compact") <= 5
    for cascade in ("haar", "haar_default"):
        assert median_ms(cascade) >= 8 * median_ms("compact")


def test_rotated_faces_are_found_too(report):
    compact, haar = (report.detectors[name].by_rotation for name in ("compact", "haar"))
    assert [group.label for group in compact] == [group.label for group in haar]
    assert all(ours.recall.value > theirs.recall.value for ours, theirs in zip(compact, haar, strict=True))
    assert compact[2].recall.value >= 0.9


def test_the_report_is_what_the_stored_detections_give(report):
    assert recompute(report, *load_numbers(FOLDER)) == report


def test_the_card_says_what_the_report_says(report):
    card = load_card(FOLDER)
    assert dict(card.metrics["test"]) == pytest.approx(
        summary_metrics(report.detectors["compact"].conditions[ORIGINAL.name])
    )
    assert card.metrics["test"]["point_error"] <= 0.12
    assert "YuNet" in card.data["dataset"]


@pytest.mark.data
def test_the_served_detector_gives_the_stored_detections(data_dir):
    images, runs = load_numbers(FOLDER)
    known = {image.id for image in images[:RERUN]}
    photos = [photo for photo in load_faces(data_dir, only="test").splits["test"] if photo.id in known]
    stored = runs["compact"][ORIGINAL.name][: len(photos)]
    assert [photo.id for photo in photos] == [image.id for image in images[: len(photos)]]
    again = detect_photos(create_detector("compact", ORIGINAL.settings), photos)
    measured, expected = (condition_report(images[: len(photos)], found) for found in (again, stored))
    assert measured.recall.value == pytest.approx(expected.recall.value, abs=0.01)
    assert measured.fppi == pytest.approx(expected.fppi, abs=0.02)
