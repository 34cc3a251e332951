from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import pytest

from core.evaluation.detection import tables
from core.evaluation.detection.conditions import ORIGINAL
from core.evaluation.plots import detection as figures
from tests.fakes.detection import example_report

DETECTORS = example_report()[0].detectors
CURVES, DEFAULTS = tables.curve_table(DETECTORS, ORIGINAL.name), tables.condition_table(DETECTORS, (ORIGINAL,))
ROTATION = tables.recall_table(DETECTORS, "rotation", lambda detector: detector.default.by_rotation)
EMPTY = pd.DataFrame()

DRAWN = {
    "curves": (figures.recall_curves(CURVES, DEFAULTS, "Title"), ["Facet", "Haar"] * 2),
    "recall": (figures.recall_bars(ROTATION, "rotation", "Title"), ["Facet", "Haar"]),
    "nme": (figures.nme_bars(tables.nme_table(DETECTORS, ORIGINAL.name), "Title"), ["Facet"]),
    "latency": (
        figures.latency_lines(tables.latency_table(DETECTORS), "Title"),
        ["Facet, photo", "Facet, live", "Haar, photo", "Haar, live"],
    ),
}
NOTHING = {
    "curves": figures.recall_curves(EMPTY, DEFAULTS, "Title"),
    "recall": figures.recall_bars(EMPTY, "rotation", "Title"),
    "nme": figures.nme_bars(EMPTY, "Title"),
    "latency": figures.latency_lines(EMPTY, "Title"),
}


@pytest.mark.parametrize(("figure", "names"), DRAWN.values(), ids=DRAWN.keys())
def test_figure_has_its_traces_and_axes(figure: go.Figure, names: list[str]) -> None:
    figure.to_json()
    assert [trace.name for trace in figure.data] == names
    assert figure.layout.title.text == "Title"
    assert figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text
    assert figure.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("figure", NOTHING.values(), ids=NOTHING.keys())
def test_figure_without_data_says_so(figure: go.Figure) -> None:
    assert not figure.data
    assert figure.layout.annotations[0].text


def test_default_threshold_has_the_colour_of_its_curve() -> None:
    curve, other, point, _ = DRAWN["curves"][0].data
    assert tuple(curve.y) == tuple(CURVES["recall"][CURVES["detector"] == "Facet"])
    assert (point.x[0], point.y[0]) == (DEFAULTS["fppi"][0], DEFAULTS["recall"][0])
    assert point.marker.color == curve.line.color != other.line.color


def test_bars_have_intervals() -> None:
    bars = DRAWN["recall"][0].data[0]
    assert tuple(bars.error_y.array) == pytest.approx(
        tuple((ROTATION["recall_high"] - ROTATION["recall"])[ROTATION["detector"] == "Facet"])
    )
