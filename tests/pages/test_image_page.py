"""The image page with an analyzer that needs no model."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.errors import ArtifactMissingError, DetectorError, FacetError, ImageError
from core.io.images import decode
from core.settings import Attributes, DetectorSettings, NetworkChoice, OverlayStyle
from core.suggestions import COLUMNS
from core.types import AgeEstimate, Analysis, Box, Detection, EmotionEstimate, Face, GenderEstimate
from pages.shared.image import analysis as image_results
from pages.shared.image import cards as image_faces
from pages.shared.image import inputs as image_inputs
from pages.shared.image.cache import EXPLANATIONS, RESULTS
from pages.shared.markdown import escape_markdown

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "pages" / "2_Analyze_Image.py"
HAPPY = EmotionEstimate((0.02, 0.02, 0.02, 0.85, 0.03, 0.03, 0.03))


class FakeAnalyzer:
    """Finds ``faces`` happy children of seven in every picture, unless it is broken."""

    def __init__(self, faces: int = 1, error: FacetError | None = None) -> None:
        self.faces = faces
        self.error = error
        self.calls: list[tuple[tuple[int, ...], Attributes]] = []

    def analyze(self, frame: NDArray[np.uint8], attributes: Attributes = Attributes()) -> Analysis:
        self.calls.append((frame.shape, attributes))
        if self.error is not None:
            raise self.error
        height, width = frame.shape[:2]
        return Analysis(width, height, tuple(self._face(number, attributes) for number in range(self.faces)), 5.0)

    def _face(self, number: int, attributes: Attributes) -> Face:
        return Face(
            Detection(Box(4 + number, 4, 44 + number, 44), 0.9),
            emotion=HAPPY if attributes.emotion else None,
            age=AgeEstimate(7.4, 5, 10) if attributes.age else None,
            gender=GenderEstimate((0.3, 0.7)) if attributes.gender else None,
        )


def picture(seed: int = 0, kind: str = "PNG", width: int = 60) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (50, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.fixture
def analyzer(monkeypatch: pytest.MonkeyPatch) -> FakeAnalyzer:
    fake = FakeAnalyzer()
    monkeypatch.setattr("pages.shared.resources.get_analyzer", lambda settings, detector_name, networks: fake)
    return fake


def page() -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=30).run()
    assert not app.exception
    return app


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader(key="image_files").set_value([(name, data, "") for name, data in files])
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption))


def test_empty_page_asks_for_an_image(analyzer: FakeAnalyzer) -> None:
    app = page()
    assert "Add an image" in app.info[0].value
    assert not app.error
    assert not app.camera_input, "the camera is asked for without being chosen"


def test_upload_gives_a_card_and_downloads(analyzer: FakeAnalyzer) -> None:
    app = upload(page(), ("me.png", picture()))
    assert app.subheader[0].value == "me.png"
    assert "**Face 1**" in texts(app)
    assert "Happy 85%" in texts(app)
    assert "Age 7 (5-10)" in texts(app)
    assert "Perceived gender: female 70%" in texts(app)
    assert len(app.get("plotly_chart")) == 1
    assert not app.error
    assert not app.info
    labels = [button.label for button in app.download_button]
    assert {"All faces (CSV)", "All results (JSON)", "Annotated image (PNG)"} <= set(labels)


def test_snapshot_is_analysed(analyzer: FakeAnalyzer) -> None:
    app = page()
    app.segmented_control(key="image_source").set_value(image_inputs.FROM_CAMERA).run()
    assert not app.file_uploader
    app.camera_input(key="image_camera").set_value(("snapshot.jpg", picture(kind="JPEG"), "image/jpeg")).run()
    assert not app.exception
    assert "**Face 1**" in texts(app)
    assert analyzer.calls == [((50, 60, 3), Attributes())]


def test_unreadable_files_are_named_and_the_others_analysed(analyzer: FakeAnalyzer) -> None:
    files = [
        ("empty.jpg", b""),
        ("page.png", b"<!DOCTYPE html><html></html>"),
        ("cut.jpg", picture(kind="JPEG")[:400]),
        ("good.png", picture()),
    ]
    app = upload(page(), *files)
    messages = [error.value for error in app.error]
    assert [message.split(":")[0] for message in messages] == [
        f"{name} cannot be read as an image" for name, _ in files[:3]
    ]
    assert [heading.value for heading in app.subheader] == ["good.png"]
    assert len(analyzer.calls) == 1


def test_no_face_is_not_an_error(analyzer: FakeAnalyzer) -> None:
    analyzer.faces = 0
    app = upload(page(), ("wall.png", picture()))
    assert [info.value for info in app.info] == [image_faces.NO_FACE]
    assert not app.error
    assert "No face found" in texts(app)


def test_same_file_is_analysed_once(analyzer: FakeAnalyzer) -> None:
    app = upload(page(), ("a.png", picture(1)), ("b.png", picture(2)), ("bad.txt", b"text"))
    app.button(key="suggest_button").click().run()
    app.toggle(key="image_labels").set_value(False).run()
    app.toggle(key="image_blur").set_value(True).run()
    assert not app.exception
    assert len(app.error) == 1
    assert len(analyzer.calls) == 2
    app.toggle(key="image_age").set_value(False).run()
    assert [attributes.age for _, attributes in analyzer.calls] == [True, True, False, False]
    assert "Age 7" not in texts(app)


def test_attributes_that_are_off_are_not_shown(analyzer: FakeAnalyzer) -> None:
    app = page()
    for key in ("image_emotion", "image_age", "image_gender"):
        app.toggle(key=key).set_value(False)
    upload(app, ("a.png", picture()))
    assert analyzer.calls[0][1] == Attributes(emotion=False, age=False, gender=False)
    assert "No attribute was predicted." in texts(app)
    assert not app.get("plotly_chart")


def test_cache_of_results_is_bounded(analyzer: FakeAnalyzer) -> None:
    limit = image_inputs.MAX_FILES
    app = upload(page(), *((f"{seed}.png", picture(seed, width=50)) for seed in range(limit + 2)))
    assert f"Only the first {limit} of {limit + 2} files" in app.warning[0].value
    assert len(app.subheader) == len(analyzer.calls) == limit
    app.slider(key="image_sensitivity").set_value(0.8).run()
    assert len(analyzer.calls) == 2 * limit
    assert len(app.session_state[RESULTS]) == limit


def test_many_faces_get_some_cards_and_a_table(analyzer: FakeAnalyzer) -> None:
    analyzer.faces = image_results.MAX_CARDS + 3
    app = upload(page(), ("crowd.png", picture()))
    assert len(app.get("plotly_chart")) == image_results.MAX_CARDS
    assert len(app.dataframe[-1].value) == analyzer.faces
    assert f"Cards show the first {image_results.MAX_CARDS} faces" in texts(app)


def test_predict_and_suggest_adds_suggestions_until_hidden(analyzer: FakeAnalyzer) -> None:
    app = upload(page(), ("a.png", picture()))
    assert "Suggestions" not in texts(app)
    app.button(key="suggest_button").click().run()
    assert "**Suggestions**" in texts(app)
    assert "Totoro" in texts(app), "a happy child of seven"
    app.button(key="suggest_hide").click().run()
    assert "**Suggestions**" not in texts(app)


def test_suggestions_come_from_the_edited_table(analyzer: FakeAnalyzer) -> None:
    app = page()
    cells = ("happy", "any", "any", "game", "chess *for two*")
    app.session_state["suggest_edited"] = [dict(zip(COLUMNS, cells, strict=True))]
    upload(app, ("a.png", picture()))
    app.button(key="suggest_button").click().run()
    assert r"- Game: chess \*for two\*" in texts(app)
    app.button(key="suggest_reset").click().run()
    assert not app.exception
    assert "Totoro" in texts(app)


def test_empty_table_stays_empty(analyzer: FakeAnalyzer) -> None:
    app = page()
    app.session_state["suggest_edited"] = []
    upload(app, ("a.png", picture()))
    app.button(key="suggest_button").click().run()
    assert not app.exception
    assert "Totoro" not in texts(app)


def test_error_in_the_edited_table_is_explained(analyzer: FakeAnalyzer) -> None:
    app = page()
    cells = ("happy", "young", "any", "game", "chess")
    app.session_state["suggest_edited"] = [dict(zip(COLUMNS, cells, strict=True))]
    upload(app, ("a.png", picture()))
    app.button(key="suggest_button").click().run()
    assert not app.exception
    assert "row 1: min_age must be a whole number of years or any" in app.error[0].value
    assert "**Face 1**" in texts(app)


def test_missing_model_stops_the_page_cleanly(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(settings: DetectorSettings, detector_name: str, networks: NetworkChoice) -> FakeAnalyzer:
        raise ArtifactMissingError("models/artifacts/emotion/model.tflite is missing. Restore it with: git checkout")

    monkeypatch.setattr("pages.shared.resources.get_analyzer", broken)
    app = page()
    assert "emotion/model.tflite is missing. Restore it with: git checkout" in app.error[0].value
    assert not app.file_uploader


def test_failing_analysis_is_shown_beside_its_file(analyzer: FakeAnalyzer) -> None:
    analyzer.error = DetectorError("the detector gave up")
    app = upload(page(), ("a.png", picture()))
    assert "the detector gave up" in app.error[0].value


def test_sensitivity_reaches_the_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[DetectorSettings] = []

    def get_analyzer(settings: DetectorSettings, detector_name: str, networks: NetworkChoice) -> FakeAnalyzer:
        asked.append(settings)
        return FakeAnalyzer()

    monkeypatch.setattr("pages.shared.resources.get_analyzer", get_analyzer)
    app = page()
    app.slider(key="image_sensitivity").set_value(0.8).run()
    assert math.isclose(asked[-1].sensitivity, 0.8)


def test_file_names_are_escaped(analyzer: FakeAnalyzer) -> None:
    app = upload(page(), ("*a* [b](http://c.d) `e`.png", picture()))
    assert app.subheader[0].value == r"\*a\* \[b\](http://c.d) \`e\`.png"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("# a.png", r"\# a.png"),
        ("- a.png", r"\- a.png"),
        ("1. a.png", r"1\. a.png"),
        ("12) a.png", r"12\) a.png"),
        ("a&lt;b<c.png", r"a\&lt;b\<c.png"),
        ("a_b-1.5.png", "a_b-1.5.png"),
    ],
)
def test_escaped_names_start_no_markup(name: str, shown: str) -> None:
    assert escape_markdown(name) == shown


def test_removed_files_are_dropped_from_the_caches(analyzer: FakeAnalyzer) -> None:
    app = upload(page(), ("a.png", picture(1)), ("b.png", picture(2)))
    app.session_state[explanation_key(app)] = True
    app.run()
    assert [len(app.session_state[kind]) for kind in (RESULTS, EXPLANATIONS)] == [2, 1]
    upload(app, ("b.png", picture(2)))
    assert [len(app.session_state[kind]) for kind in (RESULTS, EXPLANATIONS)] == [1, 0]
    assert len(analyzer.calls) == 2, "the other one is still known"
    upload(app)
    assert [len(app.session_state[kind]) for kind in (RESULTS, EXPLANATIONS)] == [0, 0]


def test_open_explanation_is_not_passed_to_another_file(analyzer: FakeAnalyzer) -> None:
    app = upload(page(), ("a.png", picture(1)), ("b.png", picture(2)))
    app.session_state[explanation_key(app)] = True
    app.run()
    assert app.main.toggle, "the first explanation is open"
    upload(app, ("b.png", picture(2)))
    assert not app.main.toggle


def explanation_key(app: AppTest) -> str:
    """Of the first picture's first face."""
    return f"explain_{app.get('plotly_chart')[0].key.removeprefix('image_bars_')}"


def test_cached_error_does_not_keep_the_file() -> None:
    error = image_results._analyze("bad.png", b"text", FakeAnalyzer(), Attributes())
    assert isinstance(error, ImageError)
    assert str(error).startswith("bad.png cannot be read as an image")
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)


def test_several_faces_get_the_numbers_of_their_cards() -> None:
    frame = decode(picture())
    alone, both = (FakeAnalyzer(faces=count).analyze(frame) for count in (1, 2))
    assert (image_results.card_numbers(alone), image_results.card_numbers(both)) == ([None], [1, 2])


def test_annotated_png_has_the_full_size() -> None:
    data = picture(width=2000)
    analysis = FakeAnalyzer().analyze(decode(data))
    png = image_results.annotated_png(SimpleNamespace(name="a.png", getvalue=lambda: data), analysis, OverlayStyle())
    drawn = decode(png)
    assert drawn.shape == (50, 2000, 3)
    assert not np.array_equal(drawn, decode(data))


def test_json_download_lists_every_file(analyzer: FakeAnalyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    dumps = json.dumps

    def remember(objects: object, **options: object) -> str:
        written.append(dumps(objects))
        return written[-1]

    app = page()
    monkeypatch.setattr("json.dumps", remember)
    upload(app, ("a.png", picture()), ("bad.png", b"text"))
    good, bad = next(answer for answer in map(json.loads, written) if isinstance(answer, list))
    assert (good["file"], good["faces"][0]["emotion"]["label"]) == ("a.png", "happy")
    assert bad["file"] == "bad.png"
    assert "cannot be read as an image" in bad["error"]
