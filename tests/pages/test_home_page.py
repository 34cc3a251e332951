"""The landing page, with model cards written for the test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
HEAVY = ("cv2", "plotly", "scipy", "sklearn", "ai_edge_litert", "tensorflow", "av", "streamlit_webrtc")

EMOTION_METRICS = {"private": {"accuracy": 0.6834, "accuracy_low": 0.668, "accuracy_high": 0.6985, "n": 3589}}
AGE_METRICS = {
    "test": {
        "age_mae": 5.043,
        "age_mae_low": 4.91,
        "age_mae_high": 5.18,
        "gender_accuracy": 0.9361,
        "gender_accuracy_low": 0.929,
        "gender_accuracy_high": 0.943,
        "n": 4712,
    }
}


def write_card(root: Path, name: str, task: str, metrics: dict[str, Any], **changes: Any) -> None:
    card = {
        "name": name,
        "title": f"{name} network",
        "task": task,
        "architecture": "residual",
        "parameters": 680_000,
        "input": {"size": 48, "channels": 1},
        "crop": {"scale": 1.0, "shift_y": 0.0},
        "metrics": metrics,
        "training": {},
        "data": {},
        "files": {},
        "license": "research only",
        "intended_use": "",
        "limits": "",
    }
    (root / name).mkdir()
    (root / name / "card.json").write_text(json.dumps(card | changes), encoding="utf-8")


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    return tmp_path


def home() -> AppTest:
    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=30).run()
    assert not app.exception
    return app


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_figures_come_from_the_cards(artifacts: Path) -> None:
    write_card(artifacts, "age_gender", "age_gender", AGE_METRICS)
    write_card(artifacts, "emotion", "emotion", EMOTION_METRICS)
    app = home()
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("Emotion: accuracy", "68.3 %"),
        ("Age: mean absolute error", "5.04 years"),
        ("Perceived gender: accuracy", "93.6 %"),
    ]
    assert "95 % CI 66.8 to 69.8 % · FER2013 PrivateTest · 3,589 images" in captions(app)
    assert "95 % CI 4.91 to 5.18 years · UTKFace test · 4,712 images" in captions(app)
    assert not app.error


@pytest.mark.parametrize(("count", "words"), [(1, "1 other model."), (3, "3 other models.")], ids=str)
def test_baselines_are_one_line(artifacts: Path, count: int, words: str) -> None:
    write_card(artifacts, "emotion", "emotion", EMOTION_METRICS)
    for number, task in zip(range(count), ("gender", "age_group_gender", "emotion_five"), strict=False):
        write_card(artifacts, f"baseline_{number}", task, {}, recipe="the authors'")
    app = home()
    assert len(app.metric) == 1
    lines = [one.value for one in app.markdown if "for comparison" in one.value]
    assert len(lines) == 1
    assert words in lines[0]
    assert [link for link in app.page_link if "Compare all models" in link.value]


def test_a_network_for_comparison_is_on_the_line_of_the_others(artifacts: Path) -> None:
    write_card(artifacts, "age_gender", "age_gender", AGE_METRICS)
    write_card(artifacts, "published", "age_gender_published", AGE_METRICS)
    app = home()
    assert len(app.metric) == 2
    assert [one.value for one in app.markdown if "for comparison: 1 other model." in one.value]


def test_a_network_of_our_own_may_answer_one_thing(artifacts: Path) -> None:
    write_card(artifacts, "faces", "gender", AGE_METRICS)
    assert [metric.label for metric in home().metric] == ["Perceived gender: accuracy"]


def test_the_face_detector_comes_first(artifacts: Path) -> None:
    write_card(artifacts, "emotion", "emotion", EMOTION_METRICS)
    recall = {"recall": 0.985, "recall_low": 0.972, "recall_high": 0.992, "false_boxes_all": 0.104, "marked_faces": 612}
    write_card(artifacts, "face_detector", "detection", {"test": recall})
    app = home()
    assert [(metric.label, metric.value) for metric in app.metric][:2] == [
        ("Faces: recall", "98.5 %"),
        ("Faces: false positives per image", "0.10"),
    ]
    assert "95 % CI 97.2 to 99.2 % · Face detection: test photographs · 612 annotated faces" in captions(app)
    assert "face_detector · 0.68 M parameters · any image size, grey" in captions(app)


def test_card_without_figures_or_intervals_shows_neither(artifacts: Path) -> None:
    write_card(artifacts, "emotion", "emotion", {"private": {"accuracy": 0.5}})
    write_card(artifacts, "emotion_new", "emotion", {"public": {"accuracy": 0.99}})
    app = home()
    assert [metric.value for metric in app.metric] == ["50.0 %"]
    assert "FER2013 PrivateTest" in captions(app)
    assert "Not evaluated on FER2013 PrivateTest yet." in captions(app)


def test_broken_artifact_is_named_and_the_rest_shown(artifacts: Path) -> None:
    write_card(artifacts, "emotion", "emotion", EMOTION_METRICS)
    (artifacts / "torn").mkdir()
    (artifacts / "torn" / "card.json").write_text("{", encoding="utf-8")
    app = home()
    assert "torn/card.json cannot be used" in app.error[0].value
    assert "git restore" in app.error[0].value
    assert [metric.value for metric in app.metric] == ["68.3 %"]


def test_no_model_at_all_says_how_to_get_one(artifacts: Path) -> None:
    app = home()
    assert "No model is installed" in app.warning[0].value
    assert not app.metric


def test_every_page_is_linked_and_limits_and_privacy_are_told(artifacts: Path) -> None:
    app = home()
    assert [link.value for link in app.page_link] == [
        "**Live camera**",
        "**Analyze image**",
        "**Model evaluation**",
    ]
    assert [header.value for header in app.header] == ["Installed models", "Limitations", "Privacy"]
    text = "\n".join(element.value for element in app.markdown)
    assert "Nothing is stored" in text
    assert "prohibits" in text


def test_home_imports_nothing_heavy() -> None:
    script = (
        "import sys, streamlit; before = set(sys.modules); "
        "import pages.shared.home.models, pages.shared.home.texts; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(answer.stdout.split()) & set(HEAVY)


def test_configuration_keeps_streamlit_to_itself() -> None:
    script = (
        "from streamlit import config; "
        "get = config.get_option; "
        "print(get('server.headless'), get('browser.gatherUsageStats'), get('server.enableXsrfProtection'), "
        "get('server.maxUploadSize'), config.is_manually_set('browser.serverAddress'))"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["True", "False", "True", "20", "True"]
