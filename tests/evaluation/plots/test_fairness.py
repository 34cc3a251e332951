from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from core.evaluation.fairness import FIGURES, FairnessReport, fairness_report
from core.evaluation.plots.fairness import LARGE_NAME, SMALL_NAME, group_dots, group_figure, group_heatmap
from tests.fakes.evaluation import age_gender_predictions

PREDICTIONS = age_gender_predictions(count=700)
REPORTS = {
    "-".join(by): fairness_report(PREDICTIONS, by)
    for by in (("race",), ("age",), ("gender",), ("race", "age"), ("race", "gender"), ("race", "age", "gender"))
}
FEW = fairness_report(age_gender_predictions(count=60), ("race", "age"))


def _drawn(figure: go.Figure) -> dict[str, list[str]]:
    """Hover texts of all squares or dots, by the name of their trace."""
    return {
        trace.name: [text for text in np.array(trace.customdata, dtype=object).ravel() if text]
        for trace in figure.data
        if trace.customdata is not None
    }


def _squares(figure: go.Figure, name: str) -> go.Heatmap:
    return next(trace for trace in figure.data if trace.name == name)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_every_group_with_people_is_drawn_once(report: FairnessReport, name: str) -> None:
    figure = group_figure(report, name, "Title")
    figure.to_json()
    assert figure.layout.title.text == "Title"
    assert figure.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"
    texts = _drawn(figure)
    assert sum(map(len, texts.values())) == sum(one.n > 0 for one in report.groups)
    assert len(texts.get(SMALL_NAME, [])) == sum(0 < one.n < 30 for one in report.groups)
    assert all("95 % interval" in text for some in texts.values() for text in some)


def test_dots_keep_the_order_of_the_labels_and_say_how_many() -> None:
    figure = group_dots(REPORTS["gender"], "age_mae", "Title")
    rows = list(figure.layout.yaxis.categoryarray)[::-1]
    assert [row.partition(" ")[0] for row in rows] == ["male", "female"]
    assert sum(int(row.partition("n = ")[2].rstrip(")").replace(",", "")) for row in rows) == 700
    assert figure.layout.shapes[0].x0 == REPORTS["gender"].everybody.age_mae.value


@pytest.mark.parametrize(
    ("name", "rows", "columns"), [("race-age", 5, 9), ("race-gender", 2, 5), ("race-age-gender", 10, 9)]
)
def test_the_attribute_with_the_most_labels_runs_across(name: str, rows: int, columns: int) -> None:
    figure = group_heatmap(REPORTS[name], "gender_accuracy", "Title")
    assert all(np.shape(trace.z) == (rows, columns) for trace in figure.data if trace.type == "heatmap")
    assert len(figure.layout.yaxis.categoryarray) == rows


def test_squares_hold_their_groups() -> None:
    figure = group_heatmap(REPORTS["race-gender"], "age_mae", "Title")
    values = {one.labels: one.age_mae.value for one in REPORTS["race-gender"].groups}
    heat = _squares(figure, LARGE_NAME)
    for row, gender in enumerate(heat.y):
        for column, race in enumerate(heat.x):
            assert heat.z[row][column] == values[race, gender]


def test_small_groups_do_not_stretch_the_colours() -> None:
    report = REPORTS["race-age"]
    heat = _squares(group_heatmap(report, "age_mae", "Title"), LARGE_NAME)
    large = [one.age_mae.value for one in report.groups if not one.small]
    assert (heat.zmin, heat.zmax) == (min(large), max(large))


def test_only_small_groups_are_still_drawn() -> None:
    figure = group_heatmap(FEW, "gender_accuracy", "Title")
    assert [trace.name for trace in figure.data if trace.type == "heatmap"] == [SMALL_NAME]
    assert all(text.endswith("*") for text in _squares(figure, "value").text)


@pytest.mark.parametrize("name", FIGURES)
def test_numbers_can_be_read_on_their_squares(name: str) -> None:
    report = REPORTS["race-gender"]
    gap = report.gap(name)
    assert gap is not None
    figure = group_heatmap(report, name, "Title")
    numbers = _squares(figure, "value")
    color = dict(zip(zip(numbers.y, numbers.x, strict=True), numbers.textfont.color, strict=True))
    assert color[gap.worst.labels[::-1]] == "white"
    assert color[gap.best.labels[::-1]] == "black"


def test_one_label_is_no_crossing() -> None:
    figure = group_heatmap(REPORTS["race"], "age_mae", "Title")
    assert not figure.data
    assert figure.layout.annotations[0].text
