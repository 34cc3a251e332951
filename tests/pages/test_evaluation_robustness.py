"""The tab about corrupted images, from a made-up report; no data set is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import ROBUSTNESS_FILE
from core.evaluation.intervals import wilson_interval
from core.evaluation.robustness import ConditionMetrics
from tests.fakes.robustness import list_on_card, write_measured
from tests.pages.apps import download_names, metrics, open_function, rerun


def _tab() -> None:
    from core.artifacts.model_card import list_artifacts
    from core.evaluation.stored import load_stored
    from pages.shared.evaluation.robustness import show_robustness

    (artifact,) = list_artifacts()
    show_robustness(load_stored(artifact, "private" if artifact.name == "emotion" else "test"))


def _used(page: AppTest) -> str:
    return page.caption[0].value.removeprefix("FER2013 PrivateTest: ")


def test_emotion_accuracy(artifacts: Path) -> None:
    write_measured(artifacts)
    page = open_function(_tab)
    assert metrics(page) == [("Clean", "80.0 %"), ("Corrupted", "62.0 %"), ("Retained accuracy", "77.5 %")]
    assert "2 corruptions" in page.markdown[0].value
    assert _used(page).startswith("100 of 250")
    assert "Limited to what 12 minutes allow" in _used(page)
    assert len(page.get("plotly_chart")) == 1
    assert page.dataframe[0].value["corruption"].tolist() == ["Noise", "Glasses"]
    assert download_names(page) == ["emotion_private_robustness_accuracy.csv"]
    assert not page.error


def test_age_error(artifacts: Path) -> None:
    write_measured(artifacts, "age_gender")
    page = open_function(_tab)
    assert metrics(page)[0] == ("Clean", "80.0 %")
    page.button_group[0].set_value("age_mae")
    assert metrics(rerun(page)) == [
        ("Clean", "5.00 years"),
        ("Corrupted", "6.80 years"),
        ("Added error", "+1.80 years"),
    ]
    assert download_names(page) == ["age_gender_test_robustness_age_mae.csv"]


def test_model_without_a_correct_prediction_on_request(artifacts: Path) -> None:
    write_measured(artifacts, clean=ConditionMetrics(wilson_interval(0, 100), 0.5), limited_by="limit")
    page = open_function(_tab)
    assert metrics(page)[2] == ("Retained accuracy", "–")
    assert "Limited on request" in _used(page)


def test_whole_split(artifacts: Path) -> None:
    write_measured(artifacts, limited_by="none", split_images=100)
    used = _used(open_function(_tab))
    assert used.startswith("100 of 100 images")
    assert "Limited" not in used


@pytest.mark.parametrize("corrupt", [False, True], ids=["missing", "corrupt"])
def test_without_a_report(artifacts: Path, corrupt: bool) -> None:
    file = write_measured(artifacts) / ROBUSTNESS_FILE
    if corrupt:
        file.write_text("{")
        list_on_card(file.parent, ROBUSTNESS_FILE)
    else:
        file.unlink()
    page = open_function(_tab)
    assert not page.metric
    if corrupt:
        assert "models robustness emotion" in page.error[0].value
    else:
        assert not page.error
        assert "not measured yet" in page.info[0].value
        assert page.code[0].value == "python -m models robustness emotion --data DIR"
