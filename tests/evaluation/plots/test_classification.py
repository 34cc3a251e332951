from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.drawing.palette import EMOTION_HEX
from core.evaluation.metrics import age_report, class_report, classification_report
from core.evaluation.plots import classification as figures
from core.evaluation.plots import faces as face_figures
from core.evaluation.tables import (
    bracket_table,
    class_table,
    confusion_table,
    metrics_table,
)
from core.types import EMOTIONS
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions

AGES = age_gender_predictions()
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2],
        "learning_rate": [0.1, 0.1],
        "elapsed_s": [1, 2],
        "age_mae": [9, 8],
        "val_age_mae": [9, 7],
    }
)
TIMELINE = pd.DataFrame({"time_s": [0.0, 0.5], "valence": [-0.2, 0.4]} | {str(e): [0.1, 0.2] for e in EMOTIONS})
ONE = classification_report(np.array([1]), np.array([1]), ("a", "b"))

DRAWN = {
    "accuracy of one": figures.class_accuracy_bars({"a": class_report(emotion_predictions(), "emotion")}, "Title"),
    "accuracy of two": figures.class_accuracy_bars(
        {
            "a": class_report(emotion_predictions(), "emotion"),
            "b": class_report(emotion_predictions(seed=1), "emotion"),
        },
        "Title",
    ),
    "accuracy of one sample": figures.class_accuracy_bars({"a": ONE}, "Title"),
    "confusion counts": figures.confusion_heatmap(ONE, "Title", normalised=False),
    "confusion shares": figures.confusion_heatmap(ONE, "Title", normalised=True),
    "age error": figures.age_error_bars({"a": age_report(AGES)}, "Title"),
    "age error of two": figures.age_error_bars({"a": age_report(AGES), "b": age_report(AGES)}, "Title"),
    "ages": figures.age_heatmap(AGES.truth["age"], AGES.ages.years, "Title"),
    "training": figures.training_curves(HISTORY, "age_mae", "Title"),
    "probabilities": face_figures.probability_bars(EMOTIONS, [0.1] * 6 + [0.4], "Title"),
    "timeline": face_figures.emotion_timeline(TIMELINE, "Title"),
}
EMPTY = {
    "ages": figures.age_heatmap(np.empty(0, np.int64), np.empty(0, np.float32), "Title"),
    "training": figures.training_curves(HISTORY, "accuracy", "Title"),
    "timeline": face_figures.emotion_timeline(TIMELINE.iloc[:0], "Title"),
}


def _titles(axes: object) -> list[str]:
    return [axis.title.text for axis in axes]  # type: ignore[attr-defined]


@pytest.mark.parametrize("figure", DRAWN.values(), ids=DRAWN.keys())
def test_a_figure_has_title_axes_and_no_background(figure: go.Figure) -> None:
    figure.to_json()
    assert figure.layout.title.text.startswith("Title")
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert any(_titles(figure.select_xaxes()))
    assert all(axis.automargin for axis in (*figure.select_xaxes(), *figure.select_yaxes()))


@pytest.mark.parametrize("figure", EMPTY.values(), ids=EMPTY.keys())
def test_a_figure_without_data_says_so(figure: go.Figure) -> None:
    assert not figure.data
    assert figure.layout.annotations[0].text


@pytest.mark.parametrize(("normalised", "title", "corner"), [(True, "rows sum to 1", 1.0), (False, "counts", 3.0)])
def test_confusion_says_what_it_shows(normalised: bool, title: str, corner: float) -> None:
    report = classification_report(np.array([0, 0, 0]), np.array([0, 0, 0]), ("a", "b"))
    figure = figures.confusion_heatmap(report, "Title", normalised)
    assert title in figure.layout.title.text
    assert figure.data[0].z[0][0] == corner


def test_true_ages_lie_along_the_heat_map_and_answers_up_it() -> None:
    heat = figures.age_heatmap(np.array([20]), np.array([60.0], np.float32), "Title").data[0]
    (row,), (column,) = np.nonzero(np.asarray(heat.customdata))
    assert heat.x[column] == 22
    assert heat.y[row] == 62


def test_emotions_keep_their_colour_in_every_figure() -> None:
    expected = [EMOTION_HEX[emotion] for emotion in EMOTIONS]
    bars = face_figures.probability_bars(EMOTIONS, [1 / 7] * 7)
    assert list(bars.data[0].marker.color) == expected
    lines = face_figures.emotion_timeline(TIMELINE)
    assert [line.line.color for line in lines.data[:7]] == expected
    alone = figures.class_accuracy_bars({"a": class_report(emotion_predictions(), "emotion")}, "Title")
    assert list(alone.data[0].marker.color) == expected


def test_every_age_is_in_the_heat_map() -> None:
    figure = figures.age_heatmap(np.array([0, 116, 30]), np.array([0, 100, 200], np.float32), "Title")
    assert figure.data[0].customdata.sum() == 3


def test_curves_are_those_with_a_validation_twin() -> None:
    assert figures.curve_names(HISTORY) == ["age_mae"]


def test_tables_have_a_row_for_everything() -> None:
    report = class_report(emotion_predictions(), "emotion")
    assert class_table(report)["samples"].sum() == 120
    assert confusion_table(report, normalised=False).drop(columns="truth").to_numpy().sum() == 120
    shares = confusion_table(report, normalised=True).drop(columns="truth").to_numpy().sum(axis=1)
    np.testing.assert_allclose(shares, 1)
    assert bracket_table(age_report(AGES))["people"].sum() == 150


def test_age_brackets_without_anybody_are_left_out() -> None:
    report = age_report(AGES.take(AGES.truth["age"] >= 20))
    assert {"0-2", "3-9", "10-19"}.isdisjoint(bracket_table(report)["age_bracket"])
    bars = figures.age_error_bars({"a": report}, "Title").data[0]
    assert {"0-2", "3-9", "10-19"}.isdisjoint(bars.x)
    assert sum(bars.customdata) == bracket_table(report)["people"].sum() == (AGES.truth["age"] >= 20).sum()


def test_headlines_with_different_figures_share_a_table() -> None:
    table = metrics_table({"a": {"n": 3, "accuracy": 0.5}, "b": {"n": 4, "macro_f1": 0.4}})
    assert table["figure"].tolist() == ["n", "accuracy", "macro_f1"]
    assert table["b"].isna().tolist() == [False, True, False]
