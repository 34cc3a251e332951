from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from core.evaluation.detection.tables import point_reports
from core.evaluation.plots import detection as figures
from tests.fakes.detection import example_report

REPORT, _, _ = example_report()
FACES = REPORT.detectors
BARE = {"haar": replace(FACES["haar"], setups={}, by_tilt=(), timings=(), steadiness=None)}

DRAWN = {
    "curves": (figures.recall_curves(FACES, "as_is", "Title"), ["Compact", "Compact, default", "Haar alt2"]),
    "sizes": (
        figures.share_bars({one.title: one.setups["as_is"].by_size for one in FACES.values()}, "Size", "Title"),
        ["Compact", "Haar alt2"],
    ),
    "tilts": (figures.share_bars({"Compact": FACES["compact"].by_tilt}, "Tilt", "Title"), ["Compact"]),
    "points": (
        figures.point_bars(point_reports(REPORT, FACES, "as_is"), "Title"),
        ["Compact against people", "machine against people"],
    ),
    "times": (figures.timing_lines(FACES, True, "Title"), ["Compact", "Haar alt2"]),
    "steadiness": (figures.steadiness_bars(FACES, "Title"), ["as detected", "after tracking"]),
}
EMPTY = {
    "curves": figures.recall_curves(FACES, "live", "Title"),
    "curves of nothing": figures.recall_curves(BARE, "as_is", "Title"),
    "shares": figures.share_bars({}, "Size", "Title"),
    "points": figures.point_bars({}, "Title"),
    "times": figures.timing_lines(BARE, False, "Title"),
    "steadiness": figures.steadiness_bars(BARE, "Title"),
}


@pytest.mark.parametrize(("figure", "names"), DRAWN.values(), ids=DRAWN.keys())
def test_a_figure_has_its_traces_and_axes(figure: go.Figure, names: list[str]) -> None:
    figure.to_json()
    assert set(names) <= {trace.name for trace in figure.data}
    assert figure.layout.title.text == "Title"
    assert figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text
    assert figure.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("figure", EMPTY.values(), ids=EMPTY.keys())
def test_a_figure_without_data_says_so(figure: go.Figure) -> None:
    assert not figure.data
    assert figure.layout.annotations[0].text


def test_numbers_are_drawn_as_they_are() -> None:
    curve, point, *_ = figures.recall_curves(FACES, "as_is", "Title").data
    report = FACES["compact"].setups["as_is"]
    assert report.curve is not None
    assert tuple(curve.y) == report.curve.recall
    assert (point.x[0], point.y[0]) == (report.false_boxes_all, report.recall.value)
    assert tuple(figures.timing_lines(FACES, False, "Title").data[1].y) == (25.0,) * 4
    assert tuple(figures.steadiness_bars(FACES, "Title").data[1].y) == (0.5,)
    assert figures.point_bars(point_reports(REPORT, FACES, "as_is"), "Title").data[0].y[0] == pytest.approx(10)


def test_a_detector_keeps_its_colour() -> None:
    lines = figures.recall_curves(FACES, "as_is", "Title").data
    times = figures.timing_lines(FACES, False, "Title").data
    assert lines[2].line.color == times[1].line.color != times[0].line.color
