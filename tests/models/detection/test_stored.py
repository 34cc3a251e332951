"""What the detectors must reach on the test photographs, from stored results; and that these belong to the model."""

import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, DETECTOR_ARTIFACT, load_card
from core.datasets.faces import load_faces
from core.detection import create_detector
from core.evaluation.detection.conditions import AS_IS, ENLARGED, LIVE
from core.evaluation.detection.metrics import recomputed, setup_report
from core.evaluation.detection.report import summary_metrics
from core.evaluation.detection.runner import detect_photos
from core.evaluation.detection.store import load_numbers, load_report

FOLDER = ARTIFACTS_DIR / DETECTOR_ARTIFACT
RERUN = 120


@pytest.fixture(scope="module")
def report():
    return load_report(FOLDER)


@pytest.mark.parametrize("setup", [AS_IS.name, ENLARGED.name])
def test_marked_faces_are_found_with_few_false_boxes(report, setup):
    measured = report.detectors["compact"].setups[setup]
    assert measured.recall.value >= 0.97
    assert measured.false_boxes_all <= 0.15


def test_live_video_misses_few_more(report):
    measured = report.detectors["compact"].setups[LIVE.name]
    assert measured.recall.value >= 0.95
    assert measured.false_boxes_all <= 0.15


def test_it_is_fast_and_many_times_as_fast_as_haar(report):
    def median_ms(name):
        timings = report.detectors[name].timings
        return next(t.median_ms for t in timings if t.live and (t.width, t.height) == (640, 480))

    assert median_ms("compact") <= 5
    for cascade in ("haar", "haar_default"):
        assert median_ms(cascade) >= 8 * median_ms("compact")


def test_tilted_faces_are_found_too(report):
    compact, haar = (report.detectors[name].by_tilt for name in ("compact", "haar"))
    assert [share.label for share in compact] == [share.label for share in haar]
    assert all(ours.found.value > theirs.found.value for ours, theirs in zip(compact, haar, strict=True))
    assert compact[2].found.value >= 0.9


def test_boxes_do_not_tremble(report):
    compact = report.detectors["compact"].steadiness
    assert compact.tracked_share <= 0.005
    assert compact.tracked_share <= compact.raw_share


def test_the_report_is_what_the_stored_detections_give(report):
    assert recomputed(report, *load_numbers(FOLDER)) == report


def test_the_card_says_what_the_report_says(report):
    card = load_card(FOLDER)
    assert dict(card.metrics["test"]) == pytest.approx(summary_metrics(report.detectors["compact"].setups[AS_IS.name]))
    assert "YuNet" in card.data["dataset"]


@pytest.mark.data
def test_the_served_detector_gives_the_stored_detections(data_dir):
    marks, runs = load_numbers(FOLDER)
    known = {one.id for one in marks[:RERUN]}
    photos = [photo for photo in load_faces(data_dir, only="test").splits["test"] if photo.id in known]
    stored = runs["compact"][AS_IS.name][: len(photos)]
    assert [photo.id for photo in photos] == [one.id for one in marks[: len(photos)]]
    again = detect_photos(create_detector("compact", AS_IS.settings), photos)
    measured, expected = (setup_report(marks[: len(photos)], found) for found in (again, stored))
    assert measured.recall.value == pytest.approx(expected.recall.value, abs=0.01)
    assert measured.false_boxes_all == pytest.approx(expected.false_boxes_all, abs=0.02)


@pytest.mark.parametrize("setup", [AS_IS.name, ENLARGED.name])
def test_landmarks_are_nearer_to_peoples_than_the_machines_are(report, setup):
    assert report.detectors["compact"].setups[setup].points.mean < report.machine_points.mean


def test_landmarks_scatter_no_more_than_those_of_people(report):
    # People's marks are too coarse to measure a better detector by: its own scatter is what can be told apart.
    scatter = report.detectors["compact"].setups[ENLARGED.name].scatter
    assert scatter.detector <= scatter.people
