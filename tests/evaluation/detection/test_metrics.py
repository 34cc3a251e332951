from __future__ import annotations

import math

import numpy as np
import pytest

from core.evaluation.detection.conditions import rotate_points, rotation_matrix
from core.evaluation.detection.landmarks import summarize_errors
from core.evaluation.detection.metrics import condition_report, recall_curve, recompute
from core.evaluation.detection.report import RecallCurve, summary_metrics
from core.evaluation.intervals import wilson_interval
from tests.fakes.detection import (
    annotate,
    annotated_face,
    example_images,
    example_report,
    example_runs,
    five_landmarks,
    found,
    square,
)

IMAGES = example_images()
RUNS = example_runs(IMAGES)


def test_recall_and_fppi_of_the_example() -> None:
    report = condition_report(IMAGES, RUNS["as_is"])
    assert report.recall == wilson_interval(1, 2)
    assert report.street_recall == wilson_interval(1, 1)  # The other box is too small to count.
    assert report.fppi_web == report.fppi == 1.0
    assert report.duplicates == 0.0
    assert [(group.label, group.recall.n) for group in report.by_size] == [
        ("9-14 px", 1),
        ("14-25 px", 1),
        ("25-40 px", 0),
        ("40 px and more", 0),
    ]
    assert report.by_size[1].recall.value == 1.0
    assert report.curve is None


def test_fppi_of_web_images_is_counted_separately() -> None:
    faces = [found([square(20, 140, 20)], [0.9]), found(), found([square(20, 140, 20), square(60, 140, 20)], [0.9] * 2)]
    report = condition_report(IMAGES, faces)
    assert (report.fppi_web, report.fppi) == (0.5, 1.0)


def test_landmarks_are_compared_with_annotated_ones() -> None:
    report = condition_report(IMAGES, RUNS["as_is"])
    assert report.landmarks is not None
    # 2 px below the annotations, 20 px between the eyes.
    assert (report.landmarks.mean, report.landmarks.median, report.landmarks.n) == (0.1, 0.1, 1)
    assert [part.mean for part in report.landmarks.by_landmark] == [0.1] * 4
    assert [part.n for part in report.landmarks.by_size] == [0, 1, 0, 0]
    assert math.isnan(report.landmarks.by_size[0].mean)


def test_mean_and_median_are_over_faces() -> None:
    errors = np.array([[0.1] * 4, [0.1] * 4, [0.2, 0.2, 0.4, 0.4]])
    report = summarize_errors(errors, np.array([10.0, 20.0, 50.0]))
    assert report is not None
    assert (report.mean, report.median) == (pytest.approx(0.5 / 3, abs=1e-6), 0.1)
    assert [part.mean for part in report.by_landmark] == pytest.approx([0.4 / 3, 0.4 / 3, 0.2, 0.2], abs=1e-6)
    assert [part.n for part in report.by_size] == [1, 1, 0, 1]


def test_faces_below_nine_pixels_are_not_missed() -> None:
    tiny = annotate(faces=[annotated_face(60, 60, 0.44)])
    assert condition_report([tiny], [found()]).recall.n == 0
    assert condition_report([annotate(faces=[annotated_face(60, 60, 0.45)])], [found()]).recall.n == 1


@pytest.mark.parametrize("photos", [0, 1], ids=["no images", "nothing found or annotated"])
def test_nothing_gives_empty_metrics(photos: int) -> None:
    report = condition_report([annotate()] * photos, [found()] * photos)
    assert report.recall.n == 0
    assert math.isnan(report.recall.value)
    assert report.fppi == 0.0
    assert report.landmarks is None
    assert recall_curve([annotate()] * photos, [found()] * photos) == RecallCurve((), (), ())


def test_the_curve_follows_the_score() -> None:
    images = [annotate(faces=[annotated_face(60, 60), annotated_face(140, 60)]), annotate("web_2.jpg")]
    faces = [
        found([square(60, 60, 50), square(20, 140, 20), square(140, 60, 50)], [0.875, 0.75, 0.5]),
        found([square(20, 140, 20)], [0.75]),
    ]
    swept = recall_curve(images, faces)
    assert swept.thresholds == (0.875, 0.75, 0.5)
    assert swept.recall == (0.5, 0.5, 1.0)
    assert swept.fppi == (0.0, 1.0, 1.0)


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    scores = np.linspace(1.0, 0.1, 500)
    swept = recall_curve([annotate()], [found([square(20, 140, 20)] * 500, list(scores))])
    assert len(swept.thresholds) == 120
    assert (swept.fppi[0], swept.fppi[-1]) == (1.0, 500.0)


def test_rotated_images_are_matched_with_rotated_annotations() -> None:
    report, _, _ = example_report()
    by_rotation = report.detectors["compact"].by_rotation
    assert [group.label for group in by_rotation] == ["0°", "15°", "30°", "45°"]
    assert [group.recall.value for group in by_rotation] == [0.5, 1.0, 1.0, 0.0]
    assert {group.recall.n for group in by_rotation} == {2}


def test_even_images_rotate_clockwise_and_stay_on_the_canvas() -> None:
    # Down is positive, so clockwise moves the right edge's middle down.
    right = np.array([200.0, 80.0])
    assert rotate_points(right, (200, 160), 90, 0) == pytest.approx([80, 200])
    assert rotate_points(right, (200, 160), 90, 1) == pytest.approx([80, 0])
    assert rotation_matrix((200, 160), 90, 0)[1] == (160, 200)
    assert rotate_points(right, (200, 160), 0, 0) == pytest.approx(right)
    corners = np.array([[0, 0], [200, 0], [0, 160], [200, 160]], np.float64)
    for degrees in (15, 30, 45):
        moved = rotate_points(corners, (200, 160), degrees, 1)
        canvas = rotation_matrix((200, 160), degrees, 1)[1]
        assert (moved >= -1e-9).all()
        assert (moved <= np.array(canvas) + 1e-9).all()


def test_the_report_is_recomputed_from_its_runs() -> None:
    report, images, runs = example_report()
    assert report.images == 3
    assert report.web_images == 2
    assert recompute(report, images, runs) == report
    better = runs | {"haar": runs["haar"] | {"as_is": runs["compact"]["enlarged"]}}
    assert recompute(report, images, better) != report


def test_landmarks_of_another_face_do_not_count() -> None:
    faces = [annotated_face(60, 60), annotated_face(130, 60)]
    points = np.stack([five_landmarks(faces[1]), five_landmarks(faces[0])])
    boxes = [square(130, 60, 50), square(60, 60, 50)]
    report = condition_report([annotate(faces=faces)], [found(boxes, [0.9, 0.8], points)])
    assert report.landmarks is not None
    assert report.landmarks.mean == 0.0


def test_summary_has_no_empty_metrics() -> None:
    report, _, _ = example_report()
    metrics = summary_metrics(report.detectors["compact"].conditions["as_is"])
    assert metrics["recall"] == 0.5
    assert metrics["marked_faces"] == 2
    assert metrics["point_error"] == 0.1
    assert "recall_25-40 px" not in metrics
    assert report.detectors["haar"].conditions["as_is"].landmarks is None
    assert "point_error" not in summary_metrics(report.detectors["haar"].conditions["as_is"])
