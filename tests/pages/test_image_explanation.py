"""The section "Why this prediction?" in a page of its own, with networks that need no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import AlignmentSpec
from core.attributes.estimator import Estimator
from core.attributes.occlusion import OcclusionMap
from core.errors import ArtifactMissingError
from core.types import Box, Detection, EmotionEstimate, Face
from pages.shared.image import explanation as image_explanation
from pages.shared.image.explanation import HOW_TO_READ, NO_REGION_DOMINATES, RAW_OUTPUT, describe, differs
from tests.fakes.core import AGE_GENDER_CARD, CHILD, FakeEstimator
from tests.fakes.networks import GENDER_CARD, answering
from tests.pages.apps import encode, open_function, rerun

DETECTION = Detection(Box(10, 10, 50, 50), 0.9)
FULL = replace(CHILD, detection=DETECTION)


class StoredFile:
    """A bright left half and a dark right one, so that what is covered changes the fake networks' predictions."""

    name = "face.png"

    def __init__(self, brightness: int = 255) -> None:
        pixels = np.full((60, 60, 3), 40, np.uint8)
        pixels[:, :20] = brightness
        self._data = encode(pixels)
        self.fingerprint = f"of brightness {brightness}"
        self.reads = 0

    def getvalue(self) -> bytes:
        self.reads += 1
        return self._data


class Networks:
    """Stands for the page's cached networks; counts how often it is asked and may be broken."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls = 0
        self.estimators = (FakeEstimator(), FakeEstimator(AGE_GENDER_CARD))

    def __call__(self) -> Mapping[str, Estimator]:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return answering(*self.estimators)

    def batches(self) -> int:
        return sum(len(estimator.batches) for estimator in self.estimators)


def script(file, faces, networks, blur):
    from pages.shared.image.explanation import show_explanation

    for number, face in enumerate(faces):
        show_explanation(file, file.fingerprint, face, str(number), networks, blur)


def page(file: StoredFile, networks: Networks, *faces: Face, blur: bool = False) -> AppTest:
    return open_function(script, file, faces, networks, blur)


def opened(app: AppTest, number: int = 0) -> AppTest:
    app.session_state[f"explain_{number}"] = True
    return rerun(app)


def shown_image(app: AppTest) -> str:
    (image,) = app.get("image")
    return image.proto.imgs[0].url


def test_nothing_is_computed_while_closed():
    file, networks = StoredFile(), Networks()
    app = page(file, networks, FULL)
    assert [expander.label for expander in app.expander] == ["Why this prediction?"]
    assert (networks.calls, networks.batches(), file.reads) == (0, 0, 0)
    opened(app)
    assert networks.batches() > 0
    assert HOW_TO_READ in [caption.value for caption in app.caption]
    assert len(app.get("image")) == 1


def test_only_attributes_that_were_read_are_explained():
    networks = Networks()
    app = opened(page(StoredFile(), networks, Face(DETECTION, age=FULL.age)))
    assert app.segmented_control[0].options == ["Age"]
    assert not networks.estimators[0].batches, "the emotion network was asked"
    assert not page(StoredFile(), networks, Face(DETECTION)).expander


@pytest.mark.parametrize(("attribute", "network"), [("emotion", 0), ("age", 1), ("gender", 1)])
def test_explanations_are_cached_while_the_map_is_hidden(attribute, network):
    networks = Networks()
    app = opened(page(StoredFile(), networks, FULL))
    app.segmented_control(key="explain_attribute_0").set_value(attribute)
    rerun(app)
    asked, with_map = [len(estimator.batches) for estimator in networks.estimators], shown_image(app)
    assert asked[network] > 0
    app.toggle(key="explain_map_0").set_value(False)
    assert shown_image(rerun(app)) != with_map
    app.toggle(key="explain_map_0").set_value(True)
    assert shown_image(rerun(app)) == with_map
    assert [len(estimator.batches) for estimator in networks.estimators] == asked


def test_face_stays_blurred_below_the_map(monkeypatch):
    drawn = []
    monkeypatch.setattr(image_explanation, "overlay_heatmap", lambda image, occlusion: drawn.append(image) or image)
    opened(page(StoredFile(), Networks(), FULL))
    opened(page(StoredFile(), Networks(), FULL, blur=True))
    clear, blurred = drawn
    assert clear.shape == blurred.shape
    assert len(np.unique(blurred.reshape(-1, 3), axis=0)) <= 36, "more than six flat squares across"
    assert not np.array_equal(clear, blurred)


def test_each_face_has_its_own_explanation(monkeypatch):
    monkeypatch.setattr(image_explanation, "MAX_EXPLAINED", 2)
    app = page(
        StoredFile(),
        Networks(),
        *(Face(Detection(Box(n, n, n + 30, n + 30), 0.8), emotion=CHILD.emotion) for n in range(4)),
    )
    for number in range(4):
        assert len(opened(app, number).get("image")) == number + 1
    assert len(app.session_state["image_explanations"]) == 2, "the cache is bounded"


def test_missing_model_is_an_error_message():
    message = "models/artifacts/emotion/model.tflite is missing. Restore it with: git restore"
    app = opened(page(StoredFile(), Networks(ArtifactMissingError(message)), FULL))
    assert message in app.error[0].value
    assert not app.get("image")


def occlusion(attribute: str, label: str | None, prediction: float, strongest: float) -> OcclusionMap:
    covered = np.full((3, 3), prediction)
    covered[1, 2] = strongest
    return OcclusionMap(attribute, label, prediction, covered)


def test_another_network_is_explained_with_its_own_crop():
    networks = Networks()
    app = opened(page(StoredFile(), networks, FULL))
    app.segmented_control(key="explain_attribute_0").set_value("gender")
    rerun(app)
    asked = networks.batches()
    baseline = FakeEstimator(replace(GENDER_CARD, input_size=16, crop=AlignmentSpec(1.5)))
    networks.estimators = (*networks.estimators, baseline)
    before = shown_image(app)
    rerun(app)
    assert not app.error
    assert networks.batches() > asked
    assert {batch.shape[1:] for batch in baseline.batches} == {(16, 16, 3)}
    assert shown_image(app) != before


@pytest.mark.parametrize(
    ("explained", "expected"),
    [
        (occlusion("emotion", "happy", 0.97, 0.43), True),
        (occlusion("emotion", "happy", 0.85, 0.43), False),
        (occlusion("gender", "female", 0.80, 0.5), True),
        (occlusion("gender", "female", 0.702, 0.5), False),
        (occlusion("age", None, 31.2, 25.7), True),
        (occlusion("age", None, 7.1, 25.7), False),
    ],
    ids=["emotion", "emotion as given", "gender", "gender as given", "age", "age as given"],
)
def test_differs(explained, expected):
    assert differs(FULL, explained) is expected


@pytest.mark.parametrize(
    ("fear", "differs"), [(0.4, True), (0.9, False)], ids=["less than the network says", "as the network says"]
)
def test_text_says_why_the_card_shows_another_confidence(fear, differs):
    rest = (1 - fear) / 6
    face = Face(DETECTION, EmotionEstimate((rest, rest, fear, rest, rest, rest, rest)))
    app = opened(page(StoredFile(), Networks(), face))
    assert (RAW_OUTPUT in [caption.value for caption in app.caption]) is differs


@pytest.mark.parametrize(
    ("explained", "text"),
    [
        (occlusion("emotion", "happy", 0.85, 0.43), "*happy* gets **43%** instead of 85%"),
        (occlusion("gender", "female", 0.70, 0.91), "*female* gets **91%** instead of 70%"),
        (occlusion("age", None, 31.2, 25.7), "the predicted age is **26** instead of 31"),
        (occlusion("emotion", "happy", 0.85, 0.83), NO_REGION_DOMINATES),
        (occlusion("age", None, 31.2, 31.9), NO_REGION_DOMINATES),
    ],
    ids=["less sure", "surer", "age", "nothing", "age nothing"],
)
def test_describe(explained, text):
    assert text in describe(explained)
