from __future__ import annotations

from dataclasses import replace

import pytest

from core.evaluation.intervals import wilson_interval
from core.evaluation.plots.robustness import severity_charts
from tests.fakes.robustness import CORRECT, example_report

REPORT = example_report()


@pytest.mark.parametrize("count", [1, 3, 4, 12])
def test_every_corruption_has_its_own_small_chart(count: int) -> None:
    first = REPORT.corruptions[0]
    corruptions = tuple(replace(first, name=f"c{row}", title=f"Corruption {row}") for row in range(count))
    figure = severity_charts(replace(REPORT, corruptions=corruptions), "accuracy", "Title")
    assert {note.text for note in figure.layout.annotations} == {f"Corruption {row}" for row in range(count)}
    assert len({trace.xaxis for trace in figure.data}) == count
    assert sum(bool(trace.showlegend) for trace in figure.data) == 2
    assert "Severity" in {axis.title.text for axis in figure.select_xaxes()}
    assert figure.layout.title.text == "Title"
    assert figure.to_json()


def test_lines_show_metric_confidence_and_clean_value() -> None:
    figure = severity_charts(REPORT, "accuracy", "Title")
    accuracy = next(trace for trace in figure.data if trace.name == "accuracy")
    confidence = next(trace for trace in figure.data if trace.name == "mean confidence")
    assert list(accuracy.x) == [1, 2, 3, 4, 5]
    assert list(accuracy.y) == [correct / 100 for correct in CORRECT["noise"]]
    assert accuracy.y[0] + accuracy.error_y.array[0] == pytest.approx(wilson_interval(70, 100).high)
    assert accuracy.y[0] - accuracy.error_y.arrayminus[0] == pytest.approx(wilson_interval(70, 100).low)
    assert list(confidence.y) == pytest.approx([correct / 100 + 0.05 for correct in CORRECT["noise"]])
    assert [shape.y0 for shape in figure.layout.shapes] == [0.8, 0.8]


def test_ages_are_drawn_in_years_without_confidence() -> None:
    figure = severity_charts(example_report("age_gender"), "age_mae", "Title")
    assert [trace.name for trace in figure.data] == ["mean age error"] * 2
    assert list(figure.data[0].y) == [6, 7, 8, 9, 10]
