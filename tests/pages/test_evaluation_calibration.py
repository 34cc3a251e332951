"""The calibration tab alone, on stored artifacts with made-up answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import load_card
from core.evaluation.calibration import calibrate_output, interval_report
from tests.fakes.evaluation import age_gender_predictions, emotion_predictions, write_artifact


def _tab(task: str, split: str, names: list[str]) -> None:
    """Run by ``AppTest`` as a page of its own, so it imports everything itself."""
    from core.artifacts.model_card import list_artifacts
    from core.evaluation.stored import load_stored
    from pages.shared.evaluation.calibration import show_calibration

    models = [load_stored(artifact, split) for artifact in list_artifacts() if artifact.name in names]
    show_calibration(models, models[0])


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    fitted = {"temperature": {"emotion": 0.8, "gender": 0.75}, "min_confidence": {"emotion": 0.4, "gender": 0.7}}
    for name, seed in (("emotion", 0), ("emotion_small", 5)):
        write_artifact(tmp_path, name, "emotion", {"private": emotion_predictions(seed=seed)}, **fitted)
    write_artifact(tmp_path, "age_gender", "age_gender", {"test": age_gender_predictions()}, **fitted)
    write_artifact(tmp_path, "plain", "emotion", {"private": emotion_predictions()})
    return tmp_path


def _shown(task: str, split: str, *names: str) -> AppTest:
    page = AppTest.from_function(_tab, args=(task, split, list(names)), default_timeout=60).run()
    assert not page.exception
    return page


def _metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def _downloads(page: AppTest) -> list[str]:
    return [element.proto.label.removeprefix("Download ") for element in page.get("download_button")]


def test_emotion_shows_three_metrics_before_and_after(artifacts: Path) -> None:
    page = _shown("emotion", "private", "emotion")
    report = calibrate_output(emotion_predictions(), "emotion", load_card(artifacts / "emotion"))
    assert _metrics(page) == {
        "Calibration error (ECE)": f"{report.after.ece:.3f}",
        "Brier score": f"{report.after.brier:.3f}",
        "Coverage": f"{report.default.coverage.value * 100:.1f} %",
    }
    captions = [caption.value for caption in page.caption]
    assert f"{report.before.ece:.3f} before temperature scaling" in captions
    assert f"selective accuracy {report.default.accuracy.value:.1%}" in captions
    assert len(page.get("plotly_chart")) == 2
    assert _downloads(page) == ["emotion_private_emotion_calibration.csv", "emotion_private_emotion_coverage.csv"]


def test_several_models_are_compared(artifacts: Path) -> None:
    page = _shown("emotion", "private", "emotion", "emotion_small")
    assert [metric.label for metric in page.metric] == ["Calibration error (ECE)", "Brier score", "Coverage"] * 2


def test_age_and_gender_show_the_interval_by_bracket_too(artifacts: Path) -> None:
    page = _shown("age_gender", "test", "age_gender")
    intervals = interval_report(age_gender_predictions())
    metrics = _metrics(page)
    assert metrics["Interval coverage"] == f"{intervals.overall.coverage.value * 100:.1f} %"
    assert f"Lowest: age {intervals.lowest.label}" in metrics
    assert "Calibration error (ECE)" in metrics
    assert len(page.get("plotly_chart")) == 3
    assert _downloads(page)[0] == "age_gender_test_age_interval.csv"


def test_a_card_without_calibration_is_shown_as_it_is(artifacts: Path) -> None:
    page = _shown("emotion", "private", "plain")
    metrics = _metrics(page)
    assert metrics["Coverage"] == "100.0 %"
    assert f"{metrics['Brier score']} before temperature scaling" in [caption.value for caption in page.caption]
    assert "temperature 1.00" in page.markdown[1].value
