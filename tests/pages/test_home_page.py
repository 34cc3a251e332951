"""The landing page: a real result, four figures with their sources, buttons to the other pages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.errors import ArtifactError
from core.evaluation.detection.conditions import LIVE
from core.evaluation.detection.store import load_report
from core.evaluation.detection.tables import frame_ms
from core.evaluation.latency import load_speed, total_frame_ms
from core.settings import ArchiveLimits, VideoLimits
from tests.fakes.core import FakeAnalyzer
from tests.fakes.evaluation import card_dict
from tests.pages.apps import ROOT, metrics, open_file, pictures, rerun, texts

HEAVY = ("cv2", "plotly", "scipy", "sklearn", "ai_edge_litert", "tensorflow", "av", "streamlit_webrtc")
INSTALLED = ROOT / "models" / "artifacts"


@pytest.fixture(autouse=True)
def fresh_sample() -> None:
    """The result is kept for all sessions of a server."""
    st.cache_data.clear()


def write_card(root: Path, name: str, metrics: dict[str, Any]) -> None:
    (root / name).mkdir()
    (root / name / "card.json").write_text(json.dumps(card_dict(name, name, metrics=metrics)))


def test_a_real_result_of_the_installed_models() -> None:
    app = open_file("Home.py")
    shown = texts(app)
    assert "**Emotion: happy " in shown
    assert "**Perceived gender: female " in shown
    assert "Read by the installed models" in shown
    assert pictures(app) == 1
    assert not app.error


def test_figures_are_those_of_the_artifacts() -> None:
    def stored(name: str, split: str, key: str) -> float:
        return json.loads((INSTALLED / name / "card.json").read_text())["metrics"][split][key]

    assert metrics(open_file("Home.py")) == [
        ("Emotion", f"{100 * stored('emotion', 'private', 'accuracy'):.1f}%"),
        ("Perceived gender", f"{100 * stored('age_gender', 'test', 'gender_accuracy'):.1f}%"),
        ("Age", f"{stored('age_gender', 'test', 'age_mae'):.1f} years"),
        ("Speed", f"{total_frame_ms(INSTALLED):.1f} ms"),
    ]


def test_time_of_a_frame_is_detection_and_both_networks() -> None:
    detection = frame_ms(load_report(INSTALLED / "face_detector").detectors["facet"], LIVE)
    networks = [load_speed(INSTALLED / name).ms_per_face for name in ("emotion", "age_gender")]
    assert total_frame_ms(INSTALLED) == pytest.approx(detection + sum(networks))


def test_sources_and_buttons_lead_to_the_pages() -> None:
    app = open_file("Home.py")
    links = [(link.label, link.query_string) for link in (element.proto for element in app.get("page_link"))]
    assert [label for label, _ in links] == ["FER2013 PrivateTest", "UTKFace test", "UTKFace test", "Measured times"]
    assert "test_set=FER2013+PrivateTest" in links[0][1]
    assert [button.label for button in app.button][:3] == ["Try your camera", "Try your photo", "Try your video"]
    assert "never kept" in texts(app)
    assert "EU AI Act bans" in texts(app)


def test_a_metric_that_was_not_measured(artifacts: Path, analyzer: FakeAnalyzer) -> None:
    write_card(artifacts, "emotion", {"private": {"accuracy": 0.5}})
    write_card(artifacts, "age_gender", {})
    app = open_file("Home.py")
    assert metrics(app) == [("Emotion", "50.0%"), ("Perceived gender", "–"), ("Age", "–")]
    assert len(app.error) == 1, "the detector's report is missing"


def test_without_models_each_part_says_what_to_do(artifacts: Path, analyzer: FakeAnalyzer) -> None:
    analyzer.error = ArtifactError("the detector is broken")
    app = open_file("Home.py")
    assert [error.value.count("git restore") for error in app.error[1:4]] == [1, 1, 1]
    assert "the detector is broken" in app.error[0].value
    assert [button.label for button in app.button][:3] == ["Try your camera", "Try your photo", "Try your video"]


def test_no_face_in_the_sample(analyzer: FakeAnalyzer) -> None:
    analyzer.count = 0
    assert "finds no face" in texts(open_file("Home.py"))


def test_the_page_without_its_result_imports_nothing_heavy() -> None:
    script = (
        "import sys, streamlit; before = set(sys.modules); "
        "import pages.shared.home.sample, pages.shared.home.figures; "
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
    assert answer.stdout.split() == ["True", "False", "True", "200", "True"]
    # What the server takes is what the pages promise.
    assert {limits.max_bytes for limits in (VideoLimits(), ArchiveLimits())} == {200 * 2**20}


AUTH = {"redirect_uri": "https://facet.example.org/oauth2callback", "cookie_secret": "s"}


def open_home(secrets: dict[str, object], *, logged_in: bool = False) -> AppTest:
    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=120)
    app.secrets.update(secrets)
    app.user = {"is_logged_in": logged_in}
    return rerun(app)


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button if button.label.startswith(("Log", "Try"))]


TRY = ["Try your camera", "Try your photo", "Try your video"]


class TestLogin:
    @pytest.mark.parametrize("secrets", [{}, {"ice": {"turn_url": "turn:a"}}], ids=["no secrets", "others"])
    def test_not_wanted(self, analyzer: FakeAnalyzer, secrets: dict[str, object]) -> None:
        assert buttons(open_home(secrets)) == TRY

    def test_a_visitor_sees_no_page(self, analyzer: FakeAnalyzer) -> None:
        assert buttons(open_home({"auth": AUTH})) == ["Log in"]
        assert not analyzer.settings, "and loads no models"

    def test_somebody_with_an_account_sees_the_pages(self, analyzer: FakeAnalyzer) -> None:
        assert buttons(open_home({"auth": AUTH}, logged_in=True)) == [*TRY, "Log out"]

    def test_unreadable_secrets_admit_nobody(self, analyzer: FakeAnalyzer) -> None:
        app = open_home({"auth": "a text"}, logged_in=True)
        assert not buttons(app)
        assert "must be a table" in app.error[0].value
