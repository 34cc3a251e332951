"""The image page with an analyzer that needs no model."""

from __future__ import annotations

import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.errors import DetectorError, ImageError
from core.io.images import decode
from core.settings import Attributes, OverlayStyle
from core.suggestions import COLUMNS
from core.types import Analysis, Box, Detection, Face
from pages.shared.image import analysis as image_results
from pages.shared.image import cards as image_faces
from pages.shared.image import inputs as image_inputs
from pages.shared.image import picture
from pages.shared.image.cache import EXPLANATIONS, RESULTS, SUMMARIES, VIEWS
from pages.shared.image.files import HANDED_OVER_KEY, MemoryFile
from pages.shared.image.picture import LinkedFace
from pages.shared.markdown import escape_markdown
from tests.fakes.core import FakeAnalyzer
from tests.pages.apps import IMAGE, encode, rerun, texts, upload


def image_file(seed: int = 0, kind: str = "PNG", width: int = 60) -> bytes:
    return encode(np.random.default_rng(seed).integers(0, 255, (50, width, 3), dtype=np.uint8), kind)


def bars(app: AppTest) -> int:
    """Cards with bars."""
    return sum("<li" in element.proto.body for element in app.get("html"))


def card_keys(app: AppTest) -> list[str]:
    """What the keys of the widgets of each card end with."""
    links = "".join(element.proto.body for element in app.get("html"))
    return re.findall(r'href="#card_(\w+)"', links)


def explanations(app: AppTest) -> int:
    """Explanations that are open."""
    return sum((toggle.key or "").startswith("explain_map_") for toggle in app.toggle)


def click(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    return rerun(app)


def test_picture_of_another_page_can_be_removed(analyzer: FakeAnalyzer) -> None:
    app = IMAGE.open(**{HANDED_OVER_KEY: MemoryFile("snapshot.png", image_file())})
    assert app.subheader[0].value == "snapshot.png"
    click(app, "image_remove_snapshot")
    assert not app.subheader
    assert "Add an image" in app.info[0].value


def test_upload_gives_a_card_and_downloads(analyzer: FakeAnalyzer) -> None:
    app = IMAGE.open()
    assert "Add an image" in app.info[0].value
    assert not app.camera_input, "the camera is asked for without being chosen"
    upload(app, ("*a* [b](http://c.d) `e`.png", image_file()))
    assert app.subheader[0].value == r"\*a\* \[b\](http://c.d) \`e\`.png"
    for text in ("**Face 1**", "Happy 85%", "Age 7 (5-10)", "Perceived gender: female 70%"):
        assert text in texts(app)
    assert bars(app) == 1
    assert not app.get("plotly_chart"), "which would send megabytes"
    assert not app.error
    assert not app.info
    labels = [button.label for button in app.download_button]
    assert {"All faces (CSV)", "All results (JSON)", "Report (HTML)", "Annotated image (PNG)"} <= set(labels)


def test_samples_are_added_and_removed_by_a_click(analyzer: FakeAnalyzer) -> None:
    app = upload(IMAGE.open(), ("a.png", image_file()))
    app.button_group(key="image_samples").set_value(list(image_inputs.SAMPLES))
    assert [heading.value for heading in rerun(app).subheader] == ["a.png", "astronaut.jpg", "grace_hopper.jpg"]
    assert [shape for shape, _ in analyzer.calls] == [(50, 60, 3), (512, 512, 3), (600, 512, 3)]
    app.button_group(key="image_samples").set_value([])
    assert [heading.value for heading in rerun(app).subheader] == ["a.png"]


def test_snapshot_is_analyzed(analyzer: FakeAnalyzer) -> None:
    app = IMAGE.open()
    app.segmented_control(key="image_source").set_value(image_inputs.FROM_CAMERA)
    assert not rerun(app).file_uploader
    app.camera_input(key="image_camera").set_value(("snapshot.jpg", image_file(kind="JPEG"), "image/jpeg"))
    assert "**Face 1**" in texts(rerun(app))
    assert analyzer.calls == [((50, 60, 3), Attributes())]


def test_unreadable_files_are_named_and_the_others_analyzed(analyzer: FakeAnalyzer) -> None:
    files = [
        ("empty.jpg", b""),
        ("page.png", b"<!DOCTYPE html><html></html>"),
        ("cut.jpg", image_file(kind="JPEG")[:400]),
        ("good.png", image_file()),
    ]
    app = upload(IMAGE.open(), *files)
    messages = [error.value for error in app.error]
    assert [message.split(":")[0] for message in messages] == [
        f"{name} cannot be read as an image" for name, _ in files[:3]
    ]
    assert [heading.value for heading in app.subheader] == ["good.png"]
    assert len(analyzer.calls) == 1


def test_no_face_is_not_an_error(analyzer: FakeAnalyzer) -> None:
    analyzer.count = 0
    app = upload(IMAGE.open(), ("wall.png", image_file()))
    assert [info.value for info in app.info] == [image_faces.NO_FACE]
    assert not app.error
    assert "No face found" in texts(app)


def test_same_file_is_analyzed_once(analyzer: FakeAnalyzer) -> None:
    app = upload(IMAGE.open(), ("a.png", image_file(1)), ("b.png", image_file(2)), ("bad.txt", b"text"))
    app.toggle(key="image_labels").set_value(False)
    app.toggle(key="image_blur").set_value(True)
    assert len(click(app, "suggest_button").error) == 1
    assert len(analyzer.calls) == 2
    app.toggle(key="image_age").set_value(False).run()
    assert [attributes.age for _, attributes in analyzer.calls] == [True, True, False, False]
    assert "Age 7" not in texts(app)


def test_attributes_that_are_off_are_not_shown(analyzer: FakeAnalyzer) -> None:
    app = IMAGE.open()
    for key in ("image_emotion", "image_age", "image_gender"):
        app.toggle(key=key).set_value(False)
    upload(app, ("a.png", image_file()))
    assert analyzer.calls[0][1] == Attributes(emotion=False, age=False, gender=False)
    assert "No attribute was predicted." in texts(app)
    assert bars(app) == 0


def test_caches_are_bounded(analyzer: FakeAnalyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 6
    for module in ("inputs", "gallery"):
        monkeypatch.setattr(f"pages.shared.image.{module}.MAX_FILES", limit)
    app = upload(IMAGE.open(), *((f"{seed}.png", image_file(seed, width=50)) for seed in range(limit + 2)))
    assert f"Only the first {limit} of {limit + 2} images" in app.warning[0].value
    assert len(analyzer.calls) == limit
    app.slider(key="image_sensitivity").set_value(0.8)
    rerun(app)
    assert math.isclose(analyzer.settings[-1].sensitivity, 0.8)
    assert len(analyzer.calls) == 2 * limit
    assert len(app.session_state[SUMMARIES]) == limit
    assert not app.session_state[RESULTS]


def test_many_faces_get_some_cards_and_a_table(analyzer: FakeAnalyzer) -> None:
    analyzer.count = image_results.MAX_CARDS + 3
    app = upload(IMAGE.open(), ("crowd.png", image_file()))
    assert bars(app) == image_results.MAX_CARDS
    assert len(app.dataframe[0].value) == analyzer.count
    assert f"Cards show the first {image_results.MAX_CARDS} faces" in texts(app)


def test_each_box_leads_to_its_card(analyzer: FakeAnalyzer) -> None:
    analyzer.count = 2
    app = upload(IMAGE.open(), ("a.png", image_file()))
    shown = "".join(element.proto.body for element in app.get("html"))
    keys = card_keys(app)
    assert len(set(keys)) == 2
    for key in keys:
        assert f'id="card_{key}"' in shown
        assert f".stApp:has(.st-key-card_{key}:hover) .box-card_{key}" in shown


def test_zoom_shows_one_face_and_its_card(analyzer: FakeAnalyzer) -> None:
    analyzer.count = 3
    app = upload(IMAGE.open(), ("a.png", image_file(width=600)))
    assert bars(app) == 3
    app.session_state[f"image_zoom_{card_keys(app)[0].rsplit('_', 4)[0]}"] = 2
    assert "**Face 2**" in texts(rerun(app))
    assert bars(app) == 1
    assert len(app.session_state[VIEWS]) == 1
    assert len(analyzer.calls) == 1, "zooming in analyzes nothing"


def test_another_model_is_asked_only_when_wanted(analyzer: FakeAnalyzer) -> None:
    app = upload(IMAGE.open(), ("a.png", image_file()))
    assert len(analyzer.calls) == 1
    key = card_keys(app)[0].rsplit("_", 4)[0]
    app.session_state[f"compare_{key}"] = True
    analyzer.count = 2
    rerun(app)
    assert len(analyzer.calls) == 2
    assert "**1 difference.**" in texts(app)
    assert app.table[0].value.iloc[0].to_list() == ["2", "found", "no", "yes"]
    options = app.selectbox(key=f"compare_with_{key}").options
    assert "Detector: Haar cascade (frontal only)" in options
    assert "Emotion: mini_xception_emotion" in options


def test_suggestions_are_shown_until_hidden(analyzer: FakeAnalyzer) -> None:
    app = upload(IMAGE.open(), ("a.png", image_file()))
    assert "Suggestions" not in texts(app)
    click(app, "suggest_button")
    assert "**Suggestions**" in texts(app)
    assert "Totoro" in texts(app), "a happy child of seven"
    assert "**Suggestions**" not in texts(click(app, "suggest_hide"))


def suggest(*rows: tuple[str, ...]) -> AppTest:
    app = IMAGE.open(suggest_edited=[dict(zip(COLUMNS, cells, strict=True)) for cells in rows])
    return click(upload(app, ("a.png", image_file())), "suggest_button")


def test_suggestions_come_from_the_edited_table(analyzer: FakeAnalyzer) -> None:
    app = suggest(("happy", "any", "any", "game", "chess *for two*"))
    assert r"- Game: chess \*for two\*" in texts(app)
    assert "Totoro" not in texts(app)
    assert "Totoro" in texts(click(app, "suggest_reset"))


def test_empty_table_stays_empty(analyzer: FakeAnalyzer) -> None:
    assert "Totoro" not in texts(suggest())


def test_error_in_the_edited_table_is_explained(analyzer: FakeAnalyzer) -> None:
    app = suggest(("happy", "young", "any", "game", "chess"))
    assert "row 1: min_age must be a whole number of years or any" in app.error[0].value
    assert "**Face 1**" in texts(app)


def test_failing_analysis_is_shown_beside_its_file(analyzer: FakeAnalyzer) -> None:
    analyzer.error = DetectorError("the detector gave up")
    app = upload(IMAGE.open(), ("a.png", image_file()))
    assert "the detector gave up" in app.error[0].value


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


def test_removed_files_are_forgotten(analyzer: FakeAnalyzer) -> None:
    app = upload(IMAGE.open(), ("a.png", image_file(1)), ("b.png", image_file(2)))
    app.session_state[f"explain_{card_keys(app)[0]}"] = True
    assert explanations(rerun(app)) == 1
    assert [len(app.session_state[kind]) for kind in (RESULTS, EXPLANATIONS)] == [2, 1]
    upload(app, ("b.png", image_file(2)))
    assert explanations(app) == 0, "an open explanation is not passed to another file"
    assert [len(app.session_state[kind]) for kind in (RESULTS, EXPLANATIONS)] == [1, 0]
    assert len(analyzer.calls) == 2, "the other file is still known"
    upload(app)
    assert [len(app.session_state[kind]) for kind in (RESULTS, EXPLANATIONS)] == [0, 0]


def test_cached_error_does_not_keep_the_file() -> None:
    error = image_results.decode_file(MemoryFile("bad.png", b"text"))
    assert isinstance(error, ImageError)
    assert str(error).startswith("bad.png cannot be read as an image")
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)


def test_several_faces_get_the_numbers_of_their_cards() -> None:
    frame = decode(image_file()).frame
    alone, both = (FakeAnalyzer(count).analyze(frame) for count in (1, 2))
    assert (image_results.card_numbers(alone), image_results.card_numbers(both)) == ([None], [1, 2])


def test_annotated_png_has_the_full_size() -> None:
    data = image_file(width=2000)
    analysis = FakeAnalyzer().analyze(decode(data).frame)
    png = image_results.annotated_png(SimpleNamespace(name="a.png", getvalue=lambda: data), analysis, OverlayStyle())
    drawn = decode(png).frame
    assert drawn.shape == (50, 2000, 3)
    assert not np.array_equal(drawn, decode(data).frame)


def test_json_download_lists_every_file(analyzer: FakeAnalyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    dumps = json.dumps

    def remember(objects: object, **options: object) -> str:
        written.append(dumps(objects))
        return written[-1]

    app = IMAGE.open()
    monkeypatch.setattr("json.dumps", remember)
    upload(app, ("a.png", image_file()), ("bad.png", b"text"))
    good, bad = next(answer for answer in map(json.loads, written) if isinstance(answer, list))
    assert (good["file"], good["faces"][0]["emotion"]["label"]) == ("a.png", "happy")
    assert bad["file"] == "bad.png"
    assert "cannot be read as an image" in bad["error"]


@pytest.mark.parametrize(
    ("box", "style"),
    [
        (Box(10, 20, 30, 40), "left:10.00%;top:40.00%;width:20.00%;height:40.00%"),
        (Box(-20, 30, 40, 90), "left:0.00%;top:60.00%;width:40.00%;height:40.00%"),
    ],
    ids=["inside", "larger than what is seen of it"],
)
def test_frames_end_with_the_picture(box: Box, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(picture.st, "html", shown.append)
    face = Face(Detection(box, 0.9))
    analysis = Analysis(100, 50, (face,))
    picture.show_picture(np.zeros((50, 100, 3), np.uint8), analysis, [LinkedFace(face, 1, "card_1")], "1 face")
    assert f'style="{style}"' in shown[0]
