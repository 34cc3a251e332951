from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.detection.conditions import SETUPS, tilt_matrix, tilted_points
from core.evaluation.detection.landmarks import point_report
from core.evaluation.detection.metrics import curve, recomputed, setup_report
from core.evaluation.detection.report import Curve, summary_metrics
from core.evaluation.detection.tables import (
    frame_ms,
    point_reports,
    point_table,
    setup_table,
    share_table,
    steadiness_table,
    timing_table,
)
from core.evaluation.intervals import wilson_interval
from tests.fakes.detection import (
    example_marks,
    example_report,
    example_runs,
    five_points,
    found,
    marked_face,
    photo_marks,
    square,
)

MARKS = example_marks()
RUNS = example_runs(MARKS)


def test_recall_and_false_boxes_of_the_example() -> None:
    report = setup_report(MARKS, RUNS["as_is"])
    assert report.recall == wilson_interval(1, 2)
    assert report.street_recall == wilson_interval(1, 1)  # The other drawn box is too small to count.
    assert report.false_boxes_web == report.false_boxes_all == 1.0
    assert report.double_boxes == 0.0
    assert [(share.label, share.found.n) for share in report.by_size] == [
        ("9-14 px", 1),
        ("14-25 px", 1),
        ("25-40 px", 0),
        ("40 px and more", 0),
    ]
    assert report.by_size[1].found.value == 1.0
    assert report.curve is None


def test_false_boxes_on_web_photographs_are_counted_by_themselves() -> None:
    faces = [found([square(20, 140, 20)], [0.9]), found(), found([square(20, 140, 20), square(60, 140, 20)], [0.9] * 2)]
    report = setup_report(MARKS, faces)
    assert (report.false_boxes_web, report.false_boxes_all) == (0.5, 1.0)


def test_points_are_compared_with_people_and_with_the_machine() -> None:
    report = setup_report(MARKS, RUNS["as_is"])
    assert report.points is not None
    assert report.points_to_machine is not None
    # 2 px below the marks, 20 px between the eyes.
    assert (report.points.mean, report.points.median, report.points.n) == (0.1, 0.1, 1)
    assert [part.mean for part in report.points.by_point] == [0.1] * 4
    assert [part.n for part in report.points.by_size] == [0, 1, 0, 0]
    assert math.isnan(report.points.by_size[0].mean)
    # The machine's points are all at (60, 60).
    assert report.points_to_machine.by_point[2].mean == pytest.approx(6 / 20)


def test_mean_and_median_are_over_faces() -> None:
    errors = np.array([[0.1] * 4, [0.1] * 4, [0.2, 0.2, 0.4, 0.4]])
    report = point_report(errors, np.array([10.0, 20.0, 50.0]))
    assert report is not None
    assert (report.mean, report.median) == (pytest.approx(0.5 / 3, abs=1e-6), 0.1)
    assert [part.mean for part in report.by_point] == pytest.approx([0.4 / 3, 0.4 / 3, 0.2, 0.2], abs=1e-6)
    assert [part.n for part in report.by_size] == [1, 1, 0, 1]


def test_a_detector_without_landmarks_has_no_point_error() -> None:
    report = setup_report(MARKS, example_runs(MARKS, with_points=False)["as_is"])
    assert report.points is None
    assert report.points_to_machine is None
    assert point_report(np.zeros((0, 4)), np.zeros(0)) is None


def test_marks_below_nine_pixels_are_not_missed() -> None:
    tiny = photo_marks(faces=[marked_face(60, 60, 0.44)])
    assert setup_report([tiny], [found()]).recall.n == 0
    assert setup_report([photo_marks(faces=[marked_face(60, 60, 0.45)])], [found()]).recall.n == 1


@pytest.mark.parametrize("photos", [0, 1], ids=["no photographs", "nothing found or marked"])
def test_nothing_gives_empty_figures(photos: int) -> None:
    report = setup_report([photo_marks()] * photos, [found()] * photos)
    assert report.recall.n == 0
    assert math.isnan(report.recall.value)
    assert report.false_boxes_all == 0.0
    assert report.points is None
    assert curve([photo_marks()] * photos, [found()] * photos) == Curve((), (), ())


def test_the_curve_follows_the_score() -> None:
    marks = [photo_marks(faces=[marked_face(60, 60), marked_face(140, 60)]), photo_marks("web_2.jpg")]
    faces = [
        found([square(60, 60, 50), square(20, 140, 20), square(140, 60, 50)], [0.875, 0.75, 0.5]),
        found([square(20, 140, 20)], [0.75]),
    ]
    one = curve(marks, faces)
    assert one.thresholds == (0.875, 0.75, 0.5)
    assert one.recall == (0.5, 0.5, 1.0)
    assert one.false_boxes == (0.0, 1.0, 1.0)


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    scores = np.linspace(1.0, 0.1, 500)
    one = curve([photo_marks()], [found([square(20, 140, 20)] * 500, list(scores))])
    assert len(one.thresholds) == 120
    assert (one.false_boxes[0], one.false_boxes[-1]) == (1.0, 500.0)


def test_tilted_photographs_are_matched_with_tilted_marks() -> None:
    report, _, _ = example_report()
    by_tilt = report.detectors["compact"].by_tilt
    assert [share.label for share in by_tilt] == ["0°", "15°", "30°", "45°"]
    assert [share.found.value for share in by_tilt] == [0.5, 1.0, 1.0, 0.0]
    assert {share.found.n for share in by_tilt} == {2}


def test_tilting_turns_even_photographs_clockwise_and_keeps_everything_on_the_canvas() -> None:
    # Down is positive, so clockwise moves the right edge's middle down.
    right = np.array([200.0, 80.0])
    assert tilted_points(right, (200, 160), 90, 0) == pytest.approx([80, 200])
    assert tilted_points(right, (200, 160), 90, 1) == pytest.approx([80, 0])
    assert tilt_matrix((200, 160), 90, 0)[1] == (160, 200)
    assert tilted_points(right, (200, 160), 0, 0) == pytest.approx(right)
    corners = np.array([[0, 0], [200, 0], [0, 160], [200, 160]], np.float64)
    for degrees in (15, 30, 45):
        moved = tilted_points(corners, (200, 160), degrees, 1)
        canvas = tilt_matrix((200, 160), degrees, 1)[1]
        assert (moved >= -1e-9).all()
        assert (moved <= np.array(canvas) + 1e-9).all()


def test_the_report_is_recomputed_from_its_runs() -> None:
    report, marks, runs = example_report()
    assert report.photos == 3
    assert report.web_photos == 2
    assert recomputed(report, marks, runs) == report
    better = runs | {"haar": runs["haar"] | {"as_is": runs["compact"]["enlarged"]}}
    assert recomputed(report, marks, better) != report


def test_machine_marks_are_the_reference() -> None:
    report, _, _ = example_report()
    assert report.machine_points is not None
    assert report.machine_points.n == 1
    assert report.machine_points.by_point[0].mean == pytest.approx(math.hypot(10, 8) / 20, abs=1e-6)


def test_landmarks_of_another_face_do_not_count() -> None:
    faces = [marked_face(60, 60), marked_face(130, 60)]
    points = np.stack([five_points(faces[1]), five_points(faces[0])])
    boxes = [square(130, 60, 50), square(60, 60, 50)]
    report = setup_report([photo_marks(faces=faces)], [found(boxes, [0.9, 0.8], points)])
    assert report.points is not None
    assert report.points.mean == 0.0


def test_tables_have_a_row_for_everything() -> None:
    report, _, _ = example_report()
    faces = report.detectors
    assert len(setup_table(faces)) == 2 * len(SETUPS)
    assert setup_table(faces)["point_error_share"].isna().tolist() == [False] * len(SETUPS) + [True] * len(SETUPS)
    assert share_table(faces, lambda one: one.by_tilt)["n"].tolist() == [2] * 8
    assert timing_table(faces)["640x480 ms"].tolist() == [2.5, 2.5, 25.0, 25.0]
    assert steadiness_table(faces)["detector"].tolist() == ["Compact"]
    points = point_reports(report, faces, "as_is")
    assert list(points) == ["Compact against people", "Compact against machine", "machine against people"]
    assert len(point_table(points)) == 3


def test_headline_has_no_empty_figures() -> None:
    report, _, _ = example_report()
    figures = summary_metrics(report.detectors["compact"].setups["as_is"])
    assert figures["recall"] == 0.5
    assert figures["marked_faces"] == 2
    assert figures["point_error"] == 0.1
    assert "recall_25-40 px" not in figures
    without = replace(report.detectors["haar"].setups["as_is"], points=None)
    assert "point_error" not in summary_metrics(without)


def test_the_time_of_a_frame_says_nothing_about_pictures_of_many() -> None:
    faces = example_report()[0].detectors["compact"]
    assert [frame_ms(faces, setup) for setup in SETUPS] == [2.5, 2.5, 2.5, None]
    assert frame_ms(replace(faces, timings=()), SETUPS[0]) is None
