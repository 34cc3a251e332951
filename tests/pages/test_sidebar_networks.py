"""The choice of the networks on the live and the image page, with the real models under other names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.analyzer import FaceAnalyzer
from core.detection import DEFAULT_DETECTOR
from core.settings import LIVE_DETECTOR, DetectorSettings, NetworkChoice, ViewSettings
from core.video.session import LiveSession
from pages.shared import resources
from pages.shared.sidebar import ATTRIBUTE_TITLES
from tests.fakes.caffe import write_pair
from tests.fakes.networks import add_artifact, installed_copy
from tests.pages.apps import IMAGE, LIVE, PageUnderTest, rerun, texts, upload_image

ASTRONAUT = skimage.data.astronaut()[:256, 96:352]


@pytest.fixture
def folder(no_browser: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Of artifacts: ours, two baselines, one of which has no model. Caffe files would belong into ``caffe``."""
    root = installed_copy(tmp_path / "artifacts")
    add_artifact(
        root,
        "six_conv_gender",
        "age_gender",
        task="gender",
        recipe="theirs",
        title="Six *convolutions*",
        temperature={"gender": 50.0},
        several_views_calibration=None,
        min_confidence={"gender": 0.77},
    )
    add_artifact(root, "vgg16_age", "age_gender", served=False, recipe="theirs")
    monkeypatch.setenv("FACET_ARTIFACTS", str(root))
    monkeypatch.setenv("FACET_CAFFE_DIR", str(tmp_path / "caffe"))
    for name in ("FACET_DETECTOR", *(f"FACET_{name}_NETWORK" for name in ("EMOTION", "AGE", "GENDER"))):
        monkeypatch.delenv(name, raising=False)
    clear()
    yield tmp_path
    clear()


def clear() -> None:
    """What is cached is of another folder."""
    st.cache_resource.clear()
    st.cache_data.clear()


def test_networks_are_offered_for_what_they_predict(folder: Path, page: PageUnderTest) -> None:
    app = page.open()
    (networks,) = (box for box in app.sidebar.expander if box.label == "Models")
    assert [(box.label, box.options) for box in networks.selectbox] == [
        (ATTRIBUTE_TITLES["emotion"], ["emotion (built-in)"]),
        (
            ATTRIBUTE_TITLES["age"],
            ["age_gender (built-in)", "vgg16_age (not installed)", "caffe (model files not included)"],
        ),
        (
            ATTRIBUTE_TITLES["gender"],
            [
                "age_gender (built-in)",
                "six_conv_gender",
                "vgg16_age (not installed)",
                "caffe (model files not included)",
            ],
        ),
    ]
    assert [box.value for box in networks.selectbox] == ["emotion", "age_gender", "age_gender"]
    assert not app.warning
    assert not app.error
    app.toggle(key=f"{page.name}_age").set_value(False)
    rerun(app)
    assert [app.selectbox(key=f"{page.name}_{name}_network").disabled for name in ATTRIBUTE_TITLES] == [
        False,
        True,
        False,
    ]


def gender_line(app: AppTest) -> str:
    found = re.search(r"Perceived gender( uncertain)?: [^\n]*", texts(app))
    assert found is not None
    return found.group()


def test_choice_predicts_on_the_image_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    dumps = json.dumps

    def remember(objects: object, **options: object) -> str:
        written.append(dumps(objects))
        return written[-1]

    app = upload_image(IMAGE.open(), ASTRONAUT)
    monkeypatch.setattr("json.dumps", remember)
    ours = gender_line(app)
    assert "female" in ours
    IMAGE.choose(app, "gender_network", "six_conv_gender")
    assert gender_line(app) != ours
    assert "Perceived gender uncertain: female" in texts(app), "its card makes it unsure and asks for 77 %"
    assert "Six \\*convolutions\\*" in texts(app)
    answers = [answer for answer in map(json.loads, written) if isinstance(answer, list) and "networks" in answer[0]]
    assert answers[-1][0]["networks"] == {"emotion": "emotion", "age": "age_gender", "gender": "six_conv_gender"}
    IMAGE.choose(app, "gender_network", "age_gender")
    assert gender_line(app) == ours


def test_threshold_starts_at_the_networks_own(folder: Path, page: PageUnderTest) -> None:
    app = page.open()
    ours = app.slider(key=f"{page.name}_min_gender").value
    page.choose(app, "gender_network", "six_conv_gender")
    sliders = {slider.label: slider.value for slider in app.sidebar.slider}
    assert ours != 77
    assert sliders["Perceived gender: minimum confidence"] == 77
    page.choose(app, "gender_network", "age_gender")
    assert app.slider(key=f"{page.name}_min_gender").value == ours


def test_running_stream_goes_on_with_the_choice(folder: Path) -> None:
    app = LIVE.open()
    session: LiveSession = app.session_state["live_session"]
    frame = np.ascontiguousarray(ASTRONAUT[..., ::-1])
    session.process(frame, 0.0)
    LIVE.choose(app, "gender_network", "six_conv_gender")
    assert app.session_state["live_session"] is session
    # Beyond the time after which the face is another one, so that nothing is averaged.
    session.process(frame, 5.0)
    before, after = (row.face for row in session.snapshot(5.0).history)
    assert before.gender.confidence > 0.7 > after.gender.confidence
    assert before.emotion.probabilities == pytest.approx(after.emotion.probabilities)
    assert not session.snapshot(5.0).errors


@pytest.mark.parametrize(
    ("network", "advice"),
    [
        ("vgg16_age", "python -m models export vgg16_age --data data"),
        ("caffe", "put age_deploy.prototxt and age_net.caffemodel"),
    ],
)
def test_missing_network_gives_way_to_the_built_in_one(
    folder: Path, page: PageUnderTest, network: str, advice: str
) -> None:
    app = page.choose(page.open(), "age_network", network)
    (warning,) = app.main.warning
    assert advice in warning.value
    assert "Using this model for age instead: age_gender." in warning.value
    assert not app.error
    if page is IMAGE:
        assert "Age " in texts(upload_image(app, ASTRONAUT))
    assert not page.choose(app, "age_network", "age_gender").warning


def test_files_that_arrive_later_are_used(folder: Path) -> None:
    app = IMAGE.choose(upload_image(IMAGE.open(), ASTRONAUT), "gender_network", "caffe")
    assert "put gender_deploy.prototxt" in app.warning[0].value
    ours = texts(app)
    write_pair(folder / "caffe", "gender")
    rerun(app)
    assert not app.warning
    assert texts(app) != ours
    assert "Perceived gender" in texts(app)


def test_default_of_the_environment(folder: Path, page: PageUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACET_GENDER_NETWORK", "six_conv_gender")
    app = page.open()
    assert app.selectbox(key=f"{page.name}_gender_network").value == "six_conv_gender"
    assert not app.warning
    monkeypatch.setenv("FACET_AGE_NETWORK", "owl")
    assert "FACET_AGE_NETWORK must be one of age_gender" in page.open().error[0].value


def test_broken_built_in_model_is_an_error(folder: Path, page: PageUnderTest) -> None:
    (folder / "artifacts" / "emotion" / "model.tflite").write_bytes(b"short")
    app = page.open()
    assert "model.tflite is truncated or altered" in app.error[0].value


def test_networks_in_memory_are_shared_and_few(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    load = resources.load_estimator

    def remember(part: str) -> object:
        opened.append(part)
        return load(part)

    monkeypatch.setattr("pages.shared.resources.load_estimator", remember)
    ours = resources.get_networks(NetworkChoice())
    other = resources.get_networks(NetworkChoice(gender="six_conv_gender"))
    assert opened == ["emotion", "age_gender", "six_conv_gender"]
    assert (other["emotion"], other["age"]) == (ours["emotion"], ours["gender"])
    for number in range(12):
        name = f"trial_{number}"
        add_artifact(folder / "artifacts", name, "age_gender")
        resources.get_networks(NetworkChoice(age=name, gender=name))
    assert opened.count("emotion") == 1, "what is in use stays"
    resources.get_networks(NetworkChoice(gender="six_conv_gender"))
    assert opened.count("six_conv_gender") == 2, "what was used longest ago was given up"


@pytest.mark.parametrize(
    ("settings", "views"), [(DetectorSettings(), ViewSettings().count), (LIVE_DETECTOR, 1)], ids=["photograph", "live"]
)
def test_photographs_get_several_views_and_video_one(settings: DetectorSettings, views: int) -> None:
    frame = np.ascontiguousarray(ASTRONAUT[..., ::-1])
    for analyzer in (resources.get_analyzer(settings, DEFAULT_DETECTOR), FaceAnalyzer.default(settings)):
        assert analyzer.analyze(frame).views == views
