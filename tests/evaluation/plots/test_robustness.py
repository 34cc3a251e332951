from __future__ import annotations

import math
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from core.errors import ConfigError
from core.evaluation.intervals import wilson_interval
from core.evaluation.plots.robustness import cost_bars, severity_charts
from core.evaluation.robustness import CorruptionFigures, Figures, RobustnessReport
from core.evaluation.robustness_tables import condition_table, cost, severity_table
from tests.fakes.robustness import RIGHT, example_report

EMOTION, AGES = example_report(), example_report("age_gender")
DRAWN = {
    "accuracy by severity": severity_charts(EMOTION, "accuracy", "Title"),
    "age by severity": severity_charts(AGES, "age", "Title"),
    "cost in accuracy": cost_bars(EMOTION, "accuracy", "Title"),
    "cost in age": cost_bars(AGES, "age", "Title"),
}


def _many(count: int) -> tuple[CorruptionFigures, ...]:
    first = EMOTION.corruptions[0]
    return tuple(replace(first, name=f"damage{row}", title=f"Damage {row}") for row in range(count))


@pytest.mark.parametrize("figure", DRAWN.values(), ids=DRAWN)
def test_a_figure_has_a_title_and_can_be_sent(figure: go.Figure) -> None:
    assert figure.layout.title.text == "Title"
    assert figure.to_json()


@pytest.mark.parametrize("count", [1, 3, 4, 12])
def test_every_damage_has_its_own_small_chart(count: int) -> None:
    figure = severity_charts(replace(EMOTION, corruptions=_many(count)), "accuracy", "Title")
    assert [note.text for note in figure.layout.annotations] == [f"Damage {row}" for row in range(count)]
    assert len({trace.xaxis for trace in figure.data}) == count
    assert sum(bool(trace.showlegend) for trace in figure.data) == 3
    bottom = [axis.title.text for axis in figure.select_xaxes()][:count]
    assert bottom == ["" if row < count - 3 else "Severity" for row in range(count)]


def test_lines_show_figures_intervals_confidence_and_the_clean_figure() -> None:
    clean, accuracy, confidence = DRAWN["accuracy by severity"].data[:3]
    assert list(clean.y) == [0.8] * 5
    assert list(accuracy.x) == [1, 2, 3, 4, 5]
    assert list(accuracy.y) == [right / 100 for right in RIGHT["noise"]]
    assert accuracy.y[0] + accuracy.error_y.array[0] == pytest.approx(wilson_interval(70, 100).high)
    assert list(confidence.y) == pytest.approx([right / 100 + 0.05 for right in RIGHT["noise"]])


def test_age_lines_share_a_scale_that_holds_the_worst() -> None:
    figure = DRAWN["age by severity"]
    assert [trace.name for trace in figure.data] == ["pictures as they are", "mean age error"] * 2
    assert [axis.range for axis in figure.select_yaxes()][:2] == [pytest.approx((0, 11.0))] * 2
    assert list(figure.data[1].y) == [6, 7, 8, 9, 10]


def _scale(report: RobustnessReport) -> tuple[float, ...]:
    return next(severity_charts(report, "accuracy", "Title").select_yaxes()).tickvals


def test_the_scale_of_shares_begins_below_the_worst_figure() -> None:
    assert _scale(EMOTION) == pytest.approx((0.25, 0.5, 0.75, 1.0))
    good = tuple(Figures(wilson_interval(right, 100), right / 100) for right in (95, 92, 90, 88, 80))
    high = replace(EMOTION, clean=good[0], corruptions=(replace(EMOTION.corruptions[0], figures=good),))
    assert _scale(high) == pytest.approx((0.75, 0.8, 0.85, 0.9, 0.95, 1.0)), "differences of a few points can be seen"
    unsure = Figures(wilson_interval(80, 100), 0.1)
    assert _scale(replace(EMOTION, clean=unsure)) == pytest.approx((0.0, 0.25, 0.5, 0.75, 1.0))


def test_bars_start_with_the_costliest_and_a_line_marks_the_mean() -> None:
    figure = DRAWN["cost in accuracy"]
    assert list(figure.data[0].y) == ["Noise", "Glasses"]
    assert list(figure.data[0].x) == pytest.approx([37.5, 7.5])
    assert figure.layout.shapes[0].x0 == pytest.approx(22.5) == pytest.approx(100 * EMOTION.mean_relative_drop)


def test_cost_is_what_gets_worse() -> None:
    noise, glasses = AGES.corruptions
    assert cost(AGES, noise, "accuracy") == pytest.approx(0.3 / 0.8)
    assert cost(AGES, noise, "age") == pytest.approx(3 / 5)
    assert cost(AGES, glasses, "age") == pytest.approx(0.6 / 5)
    none_right = replace(EMOTION, clean=Figures(wilson_interval(0, 100), 0.5))
    assert math.isnan(cost(none_right, EMOTION.corruptions[0], "accuracy"))


@pytest.mark.parametrize(("measure", "report"), [("age", EMOTION), ("mood", AGES)])
def test_what_was_not_measured_cannot_be_drawn(measure: str, report: object) -> None:
    with pytest.raises(ConfigError, match="measure must be one of accuracy, age"):
        severity_table(report, measure)  # type: ignore[arg-type]


def test_the_table_has_a_row_a_damage_and_a_column_a_severity() -> None:
    table = severity_table(replace(EMOTION, corruptions=EMOTION.corruptions[::-1]), "accuracy")
    assert list(table["damage"]) == ["Noise", "Glasses"]
    columns = [f"severity_{severity}_accuracy" for severity in (1, 2, 3, 4, 5)]
    assert list(table.columns) == ["damage", *columns, "mean_accuracy", "accuracy_lost"]
    assert table.loc[0, columns].tolist() == [right / 100 for right in RIGHT["noise"]]
    assert table["mean_accuracy"].tolist() == pytest.approx([0.5, 0.74])
    assert table["accuracy_lost"].tolist() == pytest.approx([0.375, 0.075])


def test_the_age_table_is_in_years() -> None:
    table = severity_table(AGES, "age")
    assert table.loc[0, "severity_5_years"] == 10
    assert table["mean_years"].tolist() == pytest.approx([8, 5.6])
    assert table["error_added_share"].tolist() == pytest.approx([0.6, 0.12])


def test_the_long_table_has_everything() -> None:
    table = condition_table(AGES)
    assert len(table) == 11
    assert table.loc[0, ["damage", "severity", "accuracy"]].tolist() == ["none", 0, 0.8]
    last = table.iloc[-1]
    assert last[["damage", "severity", "level", "images", "accuracy", "mae_years"]].tolist() == [
        "glasses", 5, 5.0, 100, 0.7, 6.0,
    ]  # fmt: skip
    assert "mae_years" not in condition_table(EMOTION).columns
