"""The landing page, with model cards written for the test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.fakes.evaluation import card_dict
from tests.pages.apps import ROOT, metrics, open_file, texts

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
    (root / name).mkdir()
    (root / name / "card.json").write_text(json.dumps(card_dict(name, task, metrics=metrics, **changes)))


def home() -> AppTest:
    return open_file("Home.py")


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_metrics_of_installed_models(artifacts: Path) -> None:
    write_card(artifacts, "age_gender", "age_gender", AGE_METRICS)
    write_card(artifacts, "emotion", "emotion", EMOTION_METRICS)
    write_card(artifacts, "one_output", "gender", AGE_METRICS)
    recall = {"recall": 0.985, "recall_low": 0.972, "recall_high": 0.992, "false_boxes_all": 0.104, "marked_faces": 612}
    detector_input = {"size": 48, "channels": 1}
    write_card(artifacts, "face_detector", "detection", {"test": recall}, input=detector_input)
    write_card(artifacts, "published", "age_gender_published", AGE_METRICS)
    for task in ("gender", "emotion_five"):
        write_card(artifacts, f"baseline_{task}", task, {}, recipe="the authors'")
    app = home()
    assert metrics(app) == [
        ("Faces: recall", "98.5 %"),
        ("Faces: false positives per image", "0.10"),
        ("Emotion: accuracy", "68.3 %"),
        ("Age: mean absolute error", "5.04 years"),
        ("Perceived gender: accuracy", "93.6 %"),
        ("Perceived gender: accuracy", "93.6 %"),
    ]
    assert "95 % CI 97.2 to 99.2 % · Face detection: test photographs · 612 annotated faces" in captions(app)
    assert "95 % CI 66.8 to 69.8 % · FER2013 PrivateTest · 3,589 images" in captions(app)
    assert "95 % CI 4.91 to 5.18 years · UTKFace test · 4,712 images" in captions(app)
    assert "face_detector · 0.68 M parameters · any image size, grey" in captions(app)
    (line,) = [text.value for text in app.markdown if "for comparison" in text.value]
    assert "3 other models." in line
    assert [link for link in app.page_link if "Compare all models" in link.value]
    assert not app.error


def test_card_without_metrics_or_intervals(artifacts: Path) -> None:
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


def test_page_without_models(artifacts: Path) -> None:
    app = home()
    assert "No model is installed" in app.warning[0].value
    assert not app.metric
    assert [link.value for link in app.page_link] == ["**Live Camera**", "**Analyze Image**", "**Model Evaluation**"]
    assert [header.value for header in app.header] == ["Installed models", "Limitations", "Privacy"]
    assert "Nothing is stored" in texts(app)
    assert "prohibits" in texts(app)


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
    assert answer.stdout.split() == ["True", "False", "True", "40", "True"]
