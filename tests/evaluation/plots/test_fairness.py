from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from core.evaluation.fairness import FairnessReport, GroupMetric, fairness_report
from core.evaluation.plots.fairness import LARGE_NAME, SMALL_NAME, group_dots, group_figure, group_heatmap
from tests.fakes.evaluation import age_gender_predictions

PREDICTIONS = age_gender_predictions(count=700)
REPORTS = {
    "-".join(by): fairness_report(PREDICTIONS, by)
    for by in (("race",), ("age",), ("race", "age"), ("race", "gender"), ("race", "age", "gender"))
}
FEW = fairness_report(age_gender_predictions(count=60), ("race", "age"))


def _drawn(figure: go.Figure, metric_axis: str) -> dict[str, int]:
    """Name of a trace -> how many groups it draws."""
    values = {trace.name: np.array(trace[metric_axis], float) for trace in figure.data}
    return {name: int(np.isfinite(drawn).sum()) for name, drawn in values.items()}


@pytest.mark.parametrize("name", ["age_mae", "gender_accuracy"])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_every_group_with_people_is_drawn_once(report: FairnessReport, name: GroupMetric) -> None:
    figure = group_figure(report, name, "Title")
    figure.to_json()
    assert figure.layout.title.text == "Title"
    assert figure.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"
    drawn = _drawn(figure, "x" if len(report.by) == 1 else "z")
    assert sum(drawn.values()) == sum(group.n > 0 for group in report.groups)
    assert drawn.get(SMALL_NAME, 0) == sum(0 < group.n < 30 for group in report.groups)


def test_dots_keep_the_order_of_the_labels_and_say_how_many() -> None:
    report = fairness_report(PREDICTIONS, ("gender",))
    figure = group_dots(report, "age_mae", "Title")
    rows = list(figure.layout.yaxis.categoryarray)[::-1]
    assert [row.partition(" ")[0] for row in rows] == ["male", "female"]
    assert sum(int(row.partition("n = ")[2].rstrip(")").replace(",", "")) for row in rows) == 700
    assert figure.layout.shapes[0].x0 == report.overall.metrics["age_mae"].value


@pytest.mark.parametrize(
    ("name", "rows", "columns"), [("race-age", 5, 9), ("race-gender", 2, 5), ("race-age-gender", 10, 9)]
)
def test_the_attribute_with_the_most_labels_runs_across(name: str, rows: int, columns: int) -> None:
    figure = group_heatmap(REPORTS[name], "gender_accuracy", "Title")
    assert all(np.shape(trace.z) == (rows, columns) for trace in figure.data)


def test_squares_hold_their_groups() -> None:
    (heat,) = group_heatmap(REPORTS["race-gender"], "age_mae", "Title").select_traces({"name": LARGE_NAME})
    values = {group.labels: group.metrics["age_mae"].value for group in REPORTS["race-gender"].groups}
    for row, gender in enumerate(heat.y):
        for column, race in enumerate(heat.x):
            assert heat.z[row][column] == values[race, gender]
            assert heat.text[row][column] == f"{values[race, gender]:.1f}"


def test_small_groups_are_grey_with_a_star() -> None:
    figure = group_heatmap(FEW, "gender_accuracy", "Title")
    large, small = (next(figure.select_traces({"name": name})) for name in (LARGE_NAME, SMALL_NAME))
    assert not np.isfinite(np.array(large.z, float)).any()
    assert {color for _, color in small.colorscale} == {"#C9C9C9"}
    assert all(text.endswith("*") for text in np.array(small.text).ravel() if text)


def test_one_label_has_no_intersections() -> None:
    figure = group_heatmap(REPORTS["race"], "age_mae", "Title")
    assert not figure.data
    assert figure.layout.annotations[0].text
