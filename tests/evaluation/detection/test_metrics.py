from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.detection.landmarks import summarize_errors
from core.evaluation.detection.metrics import (
    condition_report,
    drop_unused,
    keep_scores,
    recall_curve,
    recompute,
    score_at_fppi,
)
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


def test_the_matched_threshold_keeps_few_false_positives() -> None:
    images = [annotate(f"web_{row}.jpg") for row in range(20)] + [annotate("mask_1.jpg")]
    scores = [0.9, 0.8, 0.7, 0.6, *[0.0] * 16, 0.95]
    faces = [found([square(20, 140, 20)] * (score > 0), [score] * (score > 0)) for score in scores]
    matched = score_at_fppi(images, faces)
    assert 0.6999 < matched <= 0.7002
    kept = keep_scores({"as_is": faces}, matched)["as_is"]
    assert condition_report(images, kept).fppi_web == 0.1
    assert score_at_fppi(images[:0], []) == 0.0


def test_recall_by_rotation_and_yaw_of_the_example() -> None:
    point = example_report()[0].detectors["facet"].default
    assert [(group.label, group.recall.value) for group in point.by_rotation] == [
        ("0°", 0.5), ("15°", 1.0), ("30°", 1.0), ("45°", 0.0), ("60°", 0.0),
    ]  # fmt: skip
    assert [group.recall.n for group in point.by_yaw] == [4, 0, 0, 0]
    assert point.by_yaw[0].recall.value == 0.5


def test_operating_points_differ_by_their_threshold() -> None:
    detector = example_report()[0].detectors["facet"]
    assert detector.matched is not None
    assert detector.default.conditions["as_is"].fppi_web == 1.0
    assert detector.matched.conditions["as_is"].fppi_web == 0.0
    assert detector.matched.min_score > 0.3


def test_the_report_is_recomputed_from_its_results() -> None:
    report, results = example_report()
    assert (report.images, report.web_images, report.sets["portraits"]) == (3, 2, 4)
    assert recompute(report, results) == report
    other = dict(results["faces"].found) | {"haar": results["faces"].found["facet"]}
    assert recompute(report, results | {"faces": replace(results["faces"], found=other)}) != report


def test_what_is_dropped_changes_no_metric() -> None:
    report, results = example_report()
    trimmed = drop_unused(results, report)
    assert recompute(report, trimmed) == report
    weak = found([square(20, 20, 20)], [0.2], np.zeros((1, 5, 2)))
    runs = dict.fromkeys(RUNS, (weak,) * 3)
    facet = {"faces": replace(results["faces"], found={"facet": runs})}
    kept = drop_unused(facet, report)["faces"].found["facet"]
    assert len(kept["rotation_30_photo"][0]) == 0
    assert np.isnan(kept["as_is"][0].landmarks).all()


def test_sets_that_are_not_there_are_missing() -> None:
    report, results = example_report()
    portraits = recompute(report, {"portraits": results["portraits"]}).detectors["facet"]
    assert portraits.matched is None
    assert portraits.at(matched=True) is portraits.default
    assert not portraits.default.conditions
    assert set(portraits.default.figures) == {"portraits", "portraits_margin", "ms_photo", "ms_live"}


def test_landmarks_of_another_face_do_not_count() -> None:
    faces = [annotated_face(60, 60), annotated_face(130, 60)]
    points = np.stack([five_landmarks(faces[1]), five_landmarks(faces[0])])
    boxes = [square(130, 60, 50), square(60, 60, 50)]
    report = condition_report([annotate(faces=faces)], [found(boxes, [0.9, 0.8], points)])
    assert report.landmarks is not None
    assert report.landmarks.mean == 0.0


def test_summary_has_no_empty_metrics() -> None:
    facet, haar = (example_report()[0].detectors[name].default.conditions["as_is"] for name in ("facet", "haar"))
    metrics = summary_metrics(facet)
    assert (metrics["recall"], metrics["marked_faces"], metrics["point_error"]) == (0.5, 2, 0.1)
    assert "recall_25-40 px" not in metrics
    assert haar.landmarks is None
    assert "point_error" not in summary_metrics(haar)
