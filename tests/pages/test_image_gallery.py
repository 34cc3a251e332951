"""The image page with many images, from ZIP files or not, with an analyzer that needs no model."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

from core.errors import UnreadableImageError
from core.io.archive import read_archive, write_archive
from core.io.images import decode
from core.settings import OverlayStyle
from core.types import Analysis
from pages.shared.image.cache import RESULTS, SUMMARIES
from pages.shared.image.downloads import ANNOTATED_SIDE_PX, annotated_zip
from pages.shared.image.files import MemoryFile
from tests.fakes.core import FakeAnalyzer
from tests.pages.apps import IMAGE, encode, rerun, texts, upload


def image_file(seed: int, width: int = 60) -> bytes:
    return encode(np.random.default_rng(seed).integers(0, 255, (50, width, 3), dtype=np.uint8))


def zip_file(count: int) -> bytes:
    return write_archive([(f"trip/p{number:02}.png", image_file(number)) for number in range(count)])


def open_buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button if (button.key or "").startswith("image_open_")]


def test_zip_file_gives_a_table_and_pages_of_thumbnails(analyzer: FakeAnalyzer) -> None:
    app = upload(IMAGE.open(), ("trip.zip", zip_file(23)))
    assert "23 files: 23 faces, 0 without a face." in texts(app)
    table = app.dataframe[0].value
    assert len(table) == len(analyzer.calls) == 23
    assert table.iloc[0].to_dict() == {
        "Image": "trip/p00.png",
        "Faces": 1,
        "Emotion": "happy",
        "Age": "7 (5-10)",
        "Perceived gender": "female",
        "Problem": "",
    }
    assert open_buttons(app) == [f"p{number:02}.png" for number in range(20)]
    app.session_state["image_page_of_2"] = 2
    rerun(app)
    assert open_buttons(app) == ["p20.png", "p21.png", "p22.png"]
    assert len(analyzer.calls) == 23, "turning the page analyzes nothing"
    assert not app.session_state[RESULTS]
    labels = [button.label for button in app.download_button]
    assert {"All faces (CSV)", "All results (JSON)", "Annotated images (ZIP)"} <= set(labels)


def test_image_is_opened(analyzer: FakeAnalyzer) -> None:
    app = upload(IMAGE.open(), ("trip.zip", zip_file(6)))
    assert not app.subheader
    app.button(key="image_open_4").click()
    rerun(app)
    assert [heading.value for heading in app.subheader] == ["trip/p04.png"]
    assert "**Face 1**" in texts(app)
    upload(app)
    assert [len(app.session_state[kind]) for kind in (RESULTS, SUMMARIES)] == [0, 0]


def test_problems_are_in_the_table(analyzer: FakeAnalyzer) -> None:
    analyzer.count = 0
    files = [(f"{number}.png", image_file(number)) for number in range(4)]
    app = upload(IMAGE.open(), *files, ("broken.jpg", b"<html>"))
    assert "5 files: 0 faces, 4 without a face, 1 could not be analyzed." in texts(app)
    problems = app.dataframe[0].value["Problem"].tolist()
    assert problems[:4] == ["no face found"] * 4
    assert problems[4].startswith("broken.jpg cannot be read as an image")
    assert not app.error


def test_few_images_of_a_zip_file_are_shown_in_full(analyzer: FakeAnalyzer) -> None:
    app = upload(IMAGE.open(), ("trip.zip", zip_file(2)))
    assert [heading.value for heading in app.subheader] == ["trip/p00.png", "trip/p01.png"]


def test_what_is_left_out_of_a_zip_file_is_told(analyzer: FakeAnalyzer) -> None:
    unsafe = write_archive([("../a.png", image_file(1)), ("notes.txt", b""), ("b.png", image_file(2))])
    app = upload(
        IMAGE.open(), ("*unsafe*.zip", unsafe), ("damaged.zip", zip_file(2)[:300]), ("c.zip", write_archive([]))
    )
    (warning,) = app.warning
    assert r"\*unsafe\*.zip: left out: 2 files or rows" in warning.value
    assert "1 unsafe path (../a.png)" in warning.value
    assert "damaged.zip cannot be read as a ZIP file" in app.error[0].value
    assert "c.zip holds no images" in app.info[0].value
    assert [heading.value for heading in app.subheader] == ["b.png"]


def test_annotated_images_in_one_zip_file() -> None:
    files = [
        MemoryFile("a/b.png", image_file(1, width=2 * ANNOTATED_SIDE_PX)),
        MemoryFile("a/b.png", image_file(2)),
        MemoryFile("bad.png", b""),
    ]
    outcomes: list[Analysis | UnreadableImageError] = [
        FakeAnalyzer().analyze(decode(file.data).frame) for file in files[:2]
    ]
    data = annotated_zip(files, [*outcomes, UnreadableImageError("bad.png is empty")], OverlayStyle())
    drawn = {file.name: decode(file.getvalue()).frame for file in read_archive(data).files}
    assert {name: frame.shape[1] for name, frame in drawn.items()} == {
        "a/b.png.jpg": ANNOTATED_SIDE_PX,
        "a/b.png (2).jpg": 60,
    }
