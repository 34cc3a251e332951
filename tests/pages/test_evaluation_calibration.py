"""The calibration tab alone, on stored artifacts with made-up predictions."""

from __future__ import annotations

from pathlib import Path

from core.artifacts.model_card import load_card
from core.evaluation.calibration import calibrate_output, interval_report
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions, write_artifact
from tests.pages.apps import download_names, metrics, open_function

FITTED = {"temperature": {"emotion": 0.8, "gender": 0.75}, "min_confidence": {"emotion": 0.4, "gender": 0.7}}


def _tab(split: str) -> None:
    from core.artifacts.model_card import list_artifacts
    from core.evaluation.stored import load_stored
    from pages.shared.evaluation.calibration import show_calibration

    models = [load_stored(artifact, split) for artifact in list_artifacts()]
    show_calibration(models, models[0])


def test_emotion(artifacts: Path) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions()}, **FITTED)
    write_artifact(artifacts, "uncalibrated", "emotion", {"private": emotion_predictions(seed=5)})
    page = open_function(_tab, "private")
    report = calibrate_output(emotion_predictions(), "emotion", load_card(artifacts / "emotion"))
    assert metrics(page)[:3] == [
        ("Calibration error (ECE)", f"{report.after.ece:.3f}"),
        ("Brier score", f"{report.after.brier:.3f}"),
        ("Coverage", f"{report.default.coverage.value * 100:.1f} %"),
    ]
    captions = [caption.value for caption in page.caption]
    assert f"{report.before.ece:.3f} before temperature scaling" in captions
    assert f"selective accuracy {report.default.accuracy.value:.1%}" in captions
    assert len(page.get("plotly_chart")) == 2
    assert download_names(page) == ["emotion_private_emotion_calibration.csv", "emotion_private_emotion_coverage.csv"]
    _, brier, coverage = metrics(page)[3:]
    assert coverage == ("Coverage", "100.0 %")
    assert f"{brier[1]} before temperature scaling" in captions, "a card without a temperature changes nothing"
    assert any("temperature 1.00" in text.value for text in page.markdown)


def test_age_and_gender(artifacts: Path) -> None:
    write_artifact(artifacts, "age_gender", "age_gender", {"test": age_gender_predictions()}, **FITTED)
    page = open_function(_tab, "test")
    intervals = interval_report(age_gender_predictions())
    shown = dict(metrics(page))
    assert shown["Interval coverage"] == f"{intervals.overall.coverage.value * 100:.1f} %"
    assert f"Lowest: age {intervals.lowest.label}" in shown
    assert "Calibration error (ECE)" in shown
    assert len(page.get("plotly_chart")) == 3
    assert download_names(page)[0] == "age_gender_test_age_interval.csv"
