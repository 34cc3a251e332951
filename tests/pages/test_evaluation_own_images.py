"""The view about the visitor's own images, with an analyzer that needs no model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.io.archive import write_archive
from pages.shared.evaluation.selection import OWN_IMAGES, VIEW_KEY
from pages.shared.session import OWN_EVALUATION_KEY
from tests.fakes.core import FakeAnalyzer
from tests.pages.apps import download_names, encode, open_page, rerun, texts


def image_file(seed: int) -> bytes:
    return encode(np.random.default_rng(seed).integers(0, 255, (50, 60, 3), dtype=np.uint8))


FILES = {
    "set/happy/a.png": image_file(1),
    "set/sad/b.png": image_file(2),
    "set/odd/c.png": image_file(3),
    "set/happy/9_1_0.png": image_file(4),
    "../happy/d.png": image_file(5),
}


@pytest.fixture
def opened(analyzer: FakeAnalyzer) -> AppTest:
    return open_page(**{VIEW_KEY: OWN_IMAGES})


def upload(app: AppTest, data: bytes) -> AppTest:
    app.file_uploader(key="own_zip").set_value(("set.zip", data, "application/zip"))
    return rerun(app)


def evaluate(app: AppTest) -> AppTest:
    app.button(key="own_start").click()
    return rerun(app)


def test_zip_file_is_evaluated(opened: AppTest, analyzer: FakeAnalyzer) -> None:
    app = upload(opened, write_archive(FILES.items()))
    assert app.button(key="own_start").label == "Evaluate 3 images"
    assert not analyzer.calls
    evaluate(app)
    assert len(analyzer.calls) == 3
    assert "1 unknown class folder: odd" in texts(app)
    assert "1 unsafe path (../happy/d.png)" in texts(app)
    assert "No face with the label emotion angry" in texts(app)
    counts, comparison = app.dataframe[0].value, app.dataframe[1].value
    assert counts["images"].tolist() == [3, 1, 1]
    accuracy = comparison[(comparison["attribute"] == "emotion") & (comparison["metric"] == "Accuracy")]
    assert accuracy["own_images"].tolist() == [pytest.approx(2 / 3)]
    assert accuracy["public_test_set"].item() > 0.5
    assert {"predictions.csv", "own_images_counts.csv", "own_images_emotion_classes.csv"} <= set(download_names(app))
    assert "sad → happy 85%" in texts(app)
    for title in ("Age", "Perceived gender"):
        app.segmented_control(key="own_attribute").set_value(title)
        rerun(app)
    assert len(analyzer.calls) == 3, "results are kept while they are looked at"


def test_results_are_dropped_with_the_file(opened: AppTest) -> None:
    app = evaluate(upload(opened, write_archive(FILES.items())))
    assert OWN_EVALUATION_KEY in app.session_state
    app.file_uploader(key="own_zip").set_value(None)
    assert OWN_EVALUATION_KEY not in rerun(app).session_state


def choose_folder(app: AppTest, name: str) -> AppTest:
    app.segmented_control(key="own_source").set_value("Folder on the server")
    rerun(app)
    app.text_input(key="own_folder").set_value(name)
    return rerun(app)


def test_folder_on_the_server(tmp_path: Path, analyzer: FakeAnalyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACET_DATA", str(tmp_path / "data"))
    for root in ("data", "secret"):
        (tmp_path / root / "own" / "happy").mkdir(parents=True)
        (tmp_path / root / "own" / "happy" / "a.png").write_bytes(image_file(1))
    app = evaluate(choose_folder(open_page(**{VIEW_KEY: OWN_IMAGES}), "own"))
    assert len(analyzer.calls) == 1
    choose_folder(app, "../secret/own")
    assert "must be inside the server's data folder" in app.error[0].value
    choose_folder(app, "absent")
    assert "is not a folder" in app.error[0].value


def test_what_cannot_be_used_is_explained(opened: AppTest) -> None:
    app = upload(opened, b"no archive")
    assert "set.zip cannot be read as a ZIP file" in app.error[0].value
    upload(app, write_archive([("odd/c.png", image_file(3))]))
    assert "no labelled image found" in app.error[0].value


def test_no_face_found(opened: AppTest, analyzer: FakeAnalyzer) -> None:
    analyzer.count = 0
    app = evaluate(upload(opened, write_archive(FILES.items())))
    assert [expander.label for expander in app.expander] == ["Missed faces (3)"]
    assert not app.get("plotly_chart")
