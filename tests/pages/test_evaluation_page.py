from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.samples import Samples
from core.errors import ArtifactMissingError
from core.evaluation import runner
from core.evaluation.metrics import headline
from core.evaluation.predictions import EmotionPredictions, Predictions
from pages.shared.evaluation_tabs import COMMON_TABS
from tests.fakes_evaluation import emotion_predictions, write_artifact, write_artifacts, write_fer2013_csv

PAGE = Path(__file__).resolve().parents[2] / "pages" / "3_Model_Evaluation.py"
CSV_IDS = np.array([f"PrivateTest_{row}" for row in range(4, 16)])
"""What the reader calls the private rows of ``write_fer2013_csv``."""


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "artifacts"
    root.mkdir()
    monkeypatch.setenv("FACET_ARTIFACTS", str(root))
    monkeypatch.setenv("FACET_DATA", str(tmp_path / "data"))
    return root


def _page(side: str | None = None) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=120).run()
    if side is not None:
        page.selectbox(key="evaluation_side").select(side).run()
    assert not page.exception
    return page


def _tabs(page: AppTest) -> list[str]:
    return [tab.label for tab in page.tabs]


def _downloads(page: AppTest) -> list[str]:
    return [element.proto.label for element in page.get("download_button")]


def _wrong_answers() -> EmotionPredictions:
    """Never the truth: 90 % sure of the emotion after it."""
    truth = np.arange(12) % 7
    probabilities = np.full((12, 7), 0.1 / 6, np.float32)
    probabilities[np.arange(12), (truth + 1) % 7] = 0.9
    return EmotionPredictions(CSV_IDS, truth, probabilities)


def test_emotion_figures_come_from_the_stored_answers(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = _page()
    accuracy = headline(emotion_predictions(seed=0))["accuracy"]
    assert page.metric[0].value == f"{accuracy * 100:.1f} %"
    assert _tabs(page) == ["Accuracy", "Confusion", "Calibration", "Groups", *COMMON_TABS]
    assert "reporting set" in page.info[0].value
    assert len(page.get("plotly_chart")) == 6
    assert "Download emotion_private_emotion_classes.csv" in _downloads(page)
    assert not page.error


def test_the_set_for_choosing_is_called_optimistic(artifacts: Path) -> None:
    write_artifacts(artifacts)
    assert "optimistic" in _page("FER2013 PublicTest").warning[0].value


def test_models_are_compared_and_one_is_shown_in_detail(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = _page()
    page.multiselect[0].set_value(["emotion", "emotion_small"]).run()
    assert [metric.label for metric in page.metric][:4] == ["Accuracy", "Macro F1"] * 2
    assert [metric.label for metric in page.metric].count("Calibration error (ECE)") == 2
    page.selectbox(key="evaluation_detail").select("emotion_small").run()
    assert not page.exception
    assert "Download emotion_small_private_emotion_classes.csv" in _downloads(page)


def test_counts_or_rows_that_sum_to_1(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = _page()
    page.segmented_control(key="confusion_mode_emotion").set_value("Counts").run()
    assert not page.exception
    assert "Download emotion_private_emotion_confusion_counts.csv" in _downloads(page)


@pytest.mark.parametrize("side", ["UTKFace test", "UTKFace validation"])
def test_age_gender_and_groups(artifacts: Path, side: str) -> None:
    write_artifacts(artifacts)
    page = _page(side)
    assert _tabs(page) == ["Age", "Age brackets", "Perceived gender", "Calibration", "Groups", *COMMON_TABS]
    assert page.metric[0].value.endswith(" years")
    assert any("groups_race.csv" in label for label in _downloads(page))
    assert not page.error


def _break_predictions(folder: Path) -> str:
    (folder / "predictions.npz").write_bytes(b"PK\x03\x04 not really")
    return "models.evaluate emotion "


def _remove_predictions(folder: Path) -> str:
    (folder / "predictions.npz").unlink()
    return "models.evaluate emotion "


def _break_card(folder: Path) -> str:
    (folder / "card.json").write_text("{")
    return "git restore"


@pytest.mark.parametrize(
    "damage", [_break_predictions, _remove_predictions, _break_card], ids=["corrupt", "missing", "card"]
)
def test_a_broken_model_is_named_and_the_others_work(artifacts: Path, damage: Callable[[Path], str]) -> None:
    write_artifacts(artifacts)
    advice = damage(artifacts / "emotion")
    page = _page()
    assert advice in page.error[0].value
    assert page.multiselect[0].value == ["emotion_small"]
    assert len(page.metric) == 5


def test_a_missing_history_leaves_the_other_tabs(artifacts: Path) -> None:
    (write_artifacts(artifacts) / "emotion" / "history.csv").unlink()
    page = _page()
    assert "history.csv" in page.error[0].value
    assert len(page.metric) == 5


def test_nothing_installed_is_said(artifacts: Path) -> None:
    page = _page()
    assert "none is installed" in page.info[-1].value
    assert not page.metric


def test_no_data_set_is_said_and_nothing_else_is_missing(artifacts: Path) -> None:
    write_artifacts(artifacts)
    page = _page()
    assert sum("FACET_DATA" in info.value for info in page.info) == 2
    assert not page.image


def test_mistakes_are_shown_once_asked_for(artifacts: Path, tmp_path: Path) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": _wrong_answers()})
    write_fer2013_csv(tmp_path / "data")
    page = _page()
    assert not page.image
    page.button(key="read_mistakes").click().run()
    assert not page.exception
    captions = [image.captions[0] for image in page.image]
    assert len(captions) == 12
    assert captions[0] == "angry → disgust 90%"


def test_mistakes_without_their_images_are_explained(artifacts: Path, tmp_path: Path) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions(ids=_other_ids())})
    write_fer2013_csv(tmp_path / "data")
    page = _page()
    page.button(key="read_mistakes").click().run()
    assert any("no file names" in info.value for info in page.info)


def _other_ids() -> np.ndarray:
    return np.array([f"PrivateTest_{row + 5_000_000}" for row in range(120)])


def _fake_evaluation(folder: Path, samples: Samples, progress: Callable[[float], None]) -> Predictions:
    progress(0.5)
    progress(1.0)
    answers = np.eye(7, dtype=np.float32)[samples.labels["emotion"]]
    return EmotionPredictions(samples.ids, samples.labels["emotion"], answers)


def _rerun(tmp_path: Path) -> AppTest:
    write_fer2013_csv(tmp_path / "data")
    page = _page()
    page.button(key="read_rerun").click().run()
    page.button(key="rerun_start").click().run()
    assert not page.exception
    return page


def test_a_rerun_is_compared_with_what_is_stored(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": _wrong_answers()})
    monkeypatch.setattr(runner, "evaluate_samples", _fake_evaluation)
    page = _rerun(tmp_path)
    tables = [table.value for table in page.dataframe if "re-run" in table.value.columns]
    accuracy = tables[0][tables[0]["figure"] == "accuracy"]
    assert accuracy[["stored", "re-run", "difference"]].to_numpy().tolist() == [[0.0, 1.0, 1.0]]
    assert "12 images" in page.success[0].value


def test_a_rerun_on_other_images_says_so(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_artifact(artifacts, "emotion", "emotion", {"private": emotion_predictions(ids=_other_ids())})
    monkeypatch.setattr(runner, "evaluate_samples", _fake_evaluation)
    assert "Only 0 of the 120 stored answers" in _rerun(tmp_path).warning[-1].value


def test_a_model_that_cannot_run_is_named(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(folder: Path, samples: Samples, progress: Callable[[float], None]) -> Predictions:
        raise ArtifactMissingError(f"{folder / 'model.tflite'} is missing.")

    write_artifact(artifacts, "emotion", "emotion", {"private": _wrong_answers()})
    monkeypatch.setattr(runner, "evaluate_samples", missing)
    page = _rerun(tmp_path)
    assert "model.tflite is missing" in page.error[0].value
    assert len(page.metric) == 5
