from __future__ import annotations

import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, list_artifacts
from core.evaluation.metrics import age_report, class_report
from core.evaluation.tables import (
    bracket_table,
    class_table,
    compare_models,
    confusion_table,
    display_name,
    metrics_table,
)
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("n", "Images"),
        ("accuracy", "Accuracy"),
        ("gender_accuracy_low", "Perceived gender: accuracy, 95 % CI low"),
        ("gender_ece", "Perceived gender: expected calibration error (ECE)"),
        ("gender_ece_before", "Perceived gender: ECE before temperature scaling"),
        ("recall_disgust", "Recall: disgust"),
        ("recall_high", "Recall, 95 % CI high"),
        ("age_mae_low", "Age MAE (years), 95 % CI low"),
        ("age_mae_0_9", "Age MAE, 0-9 (years)"),
        ("age_mae_70_plus", "Age MAE, 70+ (years)"),
        ("age_group_macro_f1", "Age group: macro F1"),
        ("something_new", "Something new"),
    ],
)
def test_display_names(name: str, shown: str) -> None:
    assert display_name(name) == shown


def test_every_metric_on_the_cards_has_a_display_name() -> None:
    cards = [artifact.card for artifact in list_artifacts(ARTIFACTS_DIR) if artifact.card is not None]
    names = {name for card in cards for metrics in card.metrics.values() for name in metrics}
    assert {"accuracy", "point_error"} < names
    words = {name.replace("_", " ").capitalize() for name in names if "_" in name}
    assert not words & {display_name(name) for name in names}


def test_class_and_confusion_tables() -> None:
    report = class_report(emotion_predictions(), "emotion")
    table = class_table(report)
    assert table["samples"].sum() == 120
    assert (table["recall_low"] <= table["recall"]).all()
    assert confusion_table(report, normalised=False).drop(columns="true_class").to_numpy().sum() == 120
    shares = confusion_table(report, normalised=True).drop(columns="true_class").to_numpy().sum(axis=1)
    np.testing.assert_allclose(shares, 1)


def test_bracket_table_leaves_out_brackets_without_people() -> None:
    predictions = age_gender_predictions()
    adults = predictions.take(predictions.truth["age"] >= 20)
    table = bracket_table(age_report(adults))
    assert table["age_bracket"].tolist() == ["20-29", "30-39", "40-49", "50-59", "60-69", "70+"]
    assert table["people"].sum() == len(adults)


def test_compared_tables_name_their_models() -> None:
    table = class_table(class_report(emotion_predictions(), "emotion"))
    assert compare_models({"a": table, "b": table})["model"].tolist() == ["a"] * 7 + ["b"] * 7


def test_metrics_of_different_outputs_share_a_table() -> None:
    table = metrics_table({"a": {"n": 3, "accuracy": 0.5}, "b": {"n": 4, "macro_f1": 0.4}})
    assert table["key"].tolist() == ["n", "accuracy", "macro_f1"]
    assert table["b"].isna().tolist() == [False, True, False]
