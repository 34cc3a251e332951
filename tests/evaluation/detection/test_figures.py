from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from core.detection.base import FaceArrays
from core.evaluation.detection.figures import FIGURES, format_figure, measure_figures
from core.evaluation.detection.landmarks import YAW_LABELS, estimate_yaw, landmark_scatter, portrait_errors, yaw_bin
from core.evaluation.detection.matching import UNMATCHED, match_group, match_portrait
from core.evaluation.detection.results import SetResults
from core.evaluation.intervals import MetricValue
from tests.fakes.detection import (
    annotate,
    annotated_face,
    example_report,
    five_landmarks,
    found,
    portrait,
    portrait_faces,
    square,
)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("web_recall", 0.5),
        ("web_fppi", 1.0),
        ("groups_recall", 0.5),
        ("groups_32", 0.5),
        ("portraits", 0.5),
        ("portraits_margin", 0.5),
        ("close_up_1400", 0.0),  # Two boxes or none.
        ("rotation_60_live", 0.5),
        ("turn_180", 0.5),
        ("nme_photo", 0.05),
        ("scatter_mean_live", 0.0),
        ("scatter_median_photo", 0.0),
        ("nobody", 4.0),
        ("ms_live", 2.5),
    ],
)
def test_figures_of_the_example(key: str, value: float) -> None:
    report = example_report()[0].detectors["facet"].default
    assert set(report.figures) == set(FIGURES)
    assert report.figures[key].value == value


def test_groups_are_counted_by_height() -> None:
    image = annotate(boxes=[square(20, 20, 15), square(60, 60, 20), square(120, 60, 70)])
    faces = found([square(60, 60, 20), square(125, 60, 70)], [0.9, 0.8])
    figures = measure_figures({"groups": SetResults((image,), {"a": {"as_is": (faces,)}})}, "a", None, ())
    assert (figures["groups_recall"].value, figures["groups_recall"].n) == (1.0, 2)
    assert (figures["groups_16"].n, figures["groups_32"].n, figures["groups_64"].n) == (1, 0, 1)


def test_one_box_finds_one_hand_drawn_box() -> None:
    drawn = np.array([square(50, 50, 40), square(56, 50, 40)])
    assert match_group(np.array([square(50, 50, 40)]), drawn).tolist() == [0, UNMATCHED]
    assert match_group(np.array([square(75, 50, 40)]), drawn[:1]).tolist() == [UNMATCHED]  # IoU 0.23


@pytest.mark.parametrize(
    ("boxes", "row"),
    [
        ([square(100, 80, 60)], 0),
        ([square(20, 20, 60), square(100, 80, 60)], 1),
        ([square(151, 80, 60)], UNMATCHED),
        ([square(100, 80, 39)], UNMATCHED),
        ([square(100, 80, 261)], UNMATCHED),
        ([], UNMATCHED),
    ],
    ids=["middle", "second", "beside", "too small", "too large", "nothing"],
)
def test_the_face_of_a_portrait(boxes: Sequence[Sequence[float]], row: int) -> None:
    assert match_portrait(np.array(boxes).reshape(-1, 4), (200, 160)) == row


def test_landmark_errors_of_a_portrait() -> None:
    image = portrait()
    assert portrait_errors(image, portrait_faces(image)) == pytest.approx([0.05])
    assert len(portrait_errors(image, found([square(100, 80, 60)], [0.9]))) == 0
    assert len(portrait_errors(image, found())) == 0


def _moved(offsets: Sequence[float]) -> list[FaceArrays]:
    five = five_landmarks(annotated_face(100, 80))
    return [found([square(100, 80, 60)], [0.9], five[None] + np.array([x, 0])) for x in offsets]


def test_scatter_is_in_inter_ocular_distances() -> None:
    # Standard deviation 2 px along x and 0 along y, 20 px between the eyes.
    assert landmark_scatter(portrait(), _moved([-2, 2, -2, 2])) == pytest.approx(np.sqrt(2) / 20)
    assert landmark_scatter(portrait(), [*_moved([-2, 2]), found()]) == pytest.approx(np.sqrt(2) / 20)
    assert math.isnan(landmark_scatter(portrait(), [*_moved([0, 0]), *[found()] * 3]))


@pytest.mark.parametrize("yaw_deg", [0, 15, 30, 50, 75, -50])
@pytest.mark.parametrize("roll_deg", [0, 25])
def test_yaw_is_estimated_whatever_the_rotation(yaw_deg: float, roll_deg: float) -> None:
    solid = np.array([[-1, -1, 0], [1, -1, 0], [0, 0, 0.8], [-0.7, 1, 0], [0.7, 1, 0]], np.float64)
    yaw, roll = np.deg2rad([yaw_deg, roll_deg])
    flat = np.stack([solid[:, 0] * np.cos(yaw) + solid[:, 2] * np.sin(yaw), solid[:, 1]], axis=1)
    turned = flat @ np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    assert estimate_yaw(50 + 20 * turned[None]) == pytest.approx([abs(yaw_deg)], abs=1e-6)


def test_yaw_bins() -> None:
    assert yaw_bin(np.array([0.0, 19.9, 20.0, 59.0, 90.0])).tolist() == [0, 0, 1, 2, len(YAW_LABELS) - 1]


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("portraits", 0.9876, "98.8%"),
        ("web_fppi", 0.1, "0.10"),
        ("nobody", 3.0, "3"),
        ("ms_live", 3.96, "4.0 ms"),
        ("nme_photo", math.nan, "–"),
    ],
)
def test_figures_are_formatted_by_their_unit(key: str, value: float, text: str) -> None:
    assert format_figure(key, MetricValue(value, math.nan, math.nan, 1)) == text
    assert format_figure(key, None) == "–"
