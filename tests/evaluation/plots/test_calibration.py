from __future__ import annotations

import plotly.graph_objects as go
import pytest

from core.artifacts.model_card import ModelCard
from core.evaluation.calibration import calibrate_output, interval_report
from core.evaluation.plots.calibration import (
    COVERAGE_BAND,
    accuracy_coverage,
    interval_coverage_bars,
    reliability_diagram,
)
from tests.fakes.evaluation import age_gender_predictions, card_dict, emotion_predictions

CARD = ModelCard.from_dict(card_dict("a", "emotion", temperature={"emotion": 0.8}, min_confidence={"emotion": 0.4}))
REPORT = calibrate_output(emotion_predictions(), "emotion", CARD)
INTERVALS = interval_report(age_gender_predictions())
FIGURES = {
    "reliability": reliability_diagram(REPORT, "Title"),
    "coverage": accuracy_coverage({"a": REPORT}, "Title"),
    "coverage of two": accuracy_coverage({"a": REPORT, "b": REPORT}, "Title"),
    "interval": interval_coverage_bars({"a": INTERVALS}, "Title"),
    "interval of two": interval_coverage_bars({"a": INTERVALS, "b": INTERVALS}, "Title"),
}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES.keys())
def test_a_figure_has_title_axes_and_no_background(figure: go.Figure) -> None:
    figure.to_json()
    assert figure.layout.title.text == "Title"
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert all(axis.title.text and axis.automargin for axis in (*figure.select_xaxes(), *figure.select_yaxes()))


def test_reliability_diagram_has_diagonal_and_both_lines() -> None:
    before, after, diagonal = FIGURES["reliability"].data
    assert (diagonal.x, diagonal.y) == ((0, 1), (0, 1))
    for line, scores in ((before, REPORT.before), (after, REPORT.after)):
        bins = [bin for bin in scores.bins if bin.n]
        assert list(line.x) == [bin.confidence for bin in bins]
        assert list(line.y) == [bin.accuracy.value for bin in bins]
    assert len(after.error_y.array) == len(after.x)
    assert before.error_y.array is None


def test_the_star_is_the_default_threshold_of_the_card() -> None:
    line, star = FIGURES["coverage"].data
    assert star.marker.symbol == "star"
    assert (star.x[0], star.y[0]) == (REPORT.default.coverage.value, REPORT.default.accuracy.value)
    assert line.x[-1] == 1.0
    low, high = FIGURES["coverage"].layout.yaxis.range
    assert low <= min(line.y) <= max(line.y) <= high


def test_interval_coverage_is_drawn_with_its_target() -> None:
    figure = FIGURES["interval"]
    assert list(figure.data[0].y) == [row.coverage.value for row in (INTERVALS.overall, *INTERVALS.brackets)]
    band, stated = figure.layout.shapes
    assert (band.y0, band.y1) == COVERAGE_BAND
    assert stated.y0 == stated.y1 == 0.8


def test_brackets_without_people_are_left_out() -> None:
    predictions = age_gender_predictions()
    adults = predictions.take(predictions.truth["age"] >= 20)
    figure = interval_coverage_bars({"a": interval_report(adults)}, "Title")
    assert list(figure.data[0].x) == ["All ages", "20-29", "30-39", "40-49", "50-59", "60-69", "70+"]
