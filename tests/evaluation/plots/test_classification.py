from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.drawing.palette import EMOTION_HEX
from core.evaluation.metrics import age_report, class_report, classification_report
from core.evaluation.plots import classification as figures
from core.evaluation.plots import faces as face_figures
from core.types import EMOTIONS
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions

PEOPLE = age_gender_predictions()
AGES = age_report(PEOPLE)
EMOTION = class_report(emotion_predictions(), "emotion")
HISTORY = pd.DataFrame({"epoch": [1, 2], "learning_rate": [0.1, 0.1], "age_mae": [9, 8], "val_age_mae": [9, 7]})
TIMELINE = pd.DataFrame({"time_s": [0.0, 0.5], "valence": [-0.2, 0.4]} | {str(e): [0.1, 0.2] for e in EMOTIONS})
ONE = classification_report(np.array([1]), np.array([1]), ("a", "b"))

DRAWN = {
    "accuracy of one": figures.class_accuracy_bars({"a": EMOTION}, "Title"),
    "accuracy of two": figures.class_accuracy_bars({"a": EMOTION, "b": EMOTION}, "Title"),
    "accuracy of one sample": figures.class_accuracy_bars({"a": ONE}, "Title"),
    "confusion": figures.confusion_heatmap(ONE, "Title", normalised=True),
    "age error": figures.age_error_bars({"a": AGES}, "Title"),
    "age error of two": figures.age_error_bars({"a": AGES, "b": AGES}, "Title"),
    "ages": figures.age_heatmap(PEOPLE.truth["age"], PEOPLE.ages.years, "Title"),
    "training": figures.training_curves(HISTORY, "age_mae", "Title"),
    "timeline": face_figures.emotion_timeline(TIMELINE, "Title"),
    "expressions": face_figures.expressions_over_time({0.0: {"happy": 0.75, "uncertain": 0.25}}, 60.0, "Title"),
}
EMPTY = {
    "ages": figures.age_heatmap(np.empty(0, np.int64), np.empty(0, np.float32), "Title"),
    "training": figures.training_curves(HISTORY, "accuracy", "Title"),
    "timeline": face_figures.emotion_timeline(TIMELINE.iloc[:0], "Title"),
}


@pytest.mark.parametrize("figure", DRAWN.values(), ids=DRAWN.keys())
def test_a_figure_has_title_axes_and_no_background(figure: go.Figure) -> None:
    figure.to_json()
    assert figure.layout.title.text.startswith("Title")
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert any(axis.title.text for axis in figure.select_xaxes())
    assert all(axis.automargin for axis in (*figure.select_xaxes(), *figure.select_yaxes()))


@pytest.mark.parametrize("figure", EMPTY.values(), ids=EMPTY.keys())
def test_a_figure_without_data_says_so(figure: go.Figure) -> None:
    assert not figure.data
    assert figure.layout.annotations[0].text


def test_bars_have_recall_and_interval_of_each_model() -> None:
    first, second = DRAWN["accuracy of two"].data
    assert (first.name, second.name) == ("a", "b")
    assert list(first.y) == EMOTION.recall.tolist()
    upper = [metric.high - metric.value for metric in EMOTION.recall_intervals]
    assert list(first.error_y.array) == pytest.approx(upper)


def test_expressions_are_stacked_in_minutes() -> None:
    bars = face_figures.expressions_over_time({60.0: {"happy": 0.75, "uncertain": 0.25}}, 60.0).data
    assert {bar.name: (bar.x[0], bar.y[0]) for bar in bars if bar.y[0]} == {
        "happy": (1.5, 0.75),
        "uncertain": (1.5, 0.25),
    }


@pytest.mark.parametrize(("normalised", "title", "corner"), [(True, "rows sum to 1", 1.0), (False, "counts", 3.0)])
def test_confusion_says_what_it_shows(normalised: bool, title: str, corner: float) -> None:
    report = classification_report(np.array([0, 0, 0]), np.array([0, 0, 0]), ("a", "b"))
    figure = figures.confusion_heatmap(report, "Title", normalised)
    assert title in figure.layout.title.text
    assert figure.data[0].z[0][0] == corner


def test_heat_map_has_true_ages_across() -> None:
    heat = figures.age_heatmap(np.array([20]), np.array([60.0], np.float32), "Title").data[0]
    (row,), (column,) = np.nonzero(np.asarray(heat.customdata))
    assert (heat.x[column], heat.y[row]) == (22, 62)
    everybody = figures.age_heatmap(np.array([0, 116, 30]), np.array([0, 100, 200], np.float32), "Title")
    assert everybody.data[0].customdata.sum() == 3


def test_bias_is_drawn_for_a_single_model() -> None:
    bars, bias = DRAWN["age error"].data
    people = [bracket for bracket in AGES.by_bracket if bracket.mae.n]
    assert list(bars.x) == [bracket.label for bracket in people]
    assert list(bias.y) == [bracket.bias for bracket in people]
    assert len(DRAWN["age error of two"].data) == 2


def test_emotions_keep_their_colour_in_every_figure() -> None:
    expected = [EMOTION_HEX[emotion] for emotion in EMOTIONS]
    assert [line.line.color for line in DRAWN["timeline"].data[:7]] == expected
    assert list(DRAWN["accuracy of one"].data[0].marker.color) == expected


def test_training_curves_are_those_with_a_validation_twin() -> None:
    assert figures.curve_names(HISTORY) == ["age_mae"]


def test_training_by_steps_has_a_curve_per_loss() -> None:
    history = pd.DataFrame({"step": [100, 200], "minutes": [1, 2], "rate": [0.1, 0.1], "score": [0.5, 0.4]})
    assert figures.curve_names(history) == ["score"]
    curve = figures.training_curves(history, "score", "Title")
    assert (tuple(curve.data[0].x), tuple(curve.data[0].y)) == ((100, 200), (0.5, 0.4))
    assert curve.layout.xaxis.title.text == "Step"
    assert [(line.name, list(line.y)) for line in DRAWN["training"].data] == [
        ("Training", [9, 8]),
        ("Validation", [9, 7]),
    ]
