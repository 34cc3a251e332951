"""What is kept, and what is dropped, when the viewer goes from page to page."""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePath
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.runtime import Runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.testing.v1 import AppTest

from core.video.job import VideoJob, VideoRequest
from core.video.reader import VideoInfo
from core.video.session import FramePair
from pages.shared.downloads import make_and_hold
from pages.shared.image.cache import EXPLANATIONS, RESULTS
from pages.shared.image.files import HANDED_OVER_KEY, MemoryFile
from pages.shared.live.connection import Connection
from pages.shared.live.snapshot import Snapshot
from pages.shared.session import SNAPSHOT_KEY
from pages.shared.video.jobs import JOB
from tests.fakes.core import FakeAnalyzer
from tests.pages.apps import IMAGE, LIVE, ROOT, VIDEO, open_file, rerun, texts

HOME = "Home.py"
VISIT = SimpleNamespace(session_id="visit")


@pytest.fixture
def app(no_browser: None) -> AppTest:
    return open_file(HOME)


def go(app: AppTest, page: str) -> AppTest:
    return rerun(app.switch_page(str(ROOT / page)))


def test_settings_survive_other_pages(app: AppTest) -> None:
    go(app, LIVE.file)
    app.toggle(key="live_blur").set_value(True)
    app.slider(key="live_smoothing").set_value(1.5)
    go(rerun(app), IMAGE.file)
    app.toggle(key="image_blur").set_value(True)
    app.slider(key="image_min_emotion").set_value(70)
    rerun(go(rerun(app), VIDEO.file))
    go(app, LIVE.file)
    assert app.toggle(key="live_blur").value is True
    assert app.session_state["live_session"]._style.blur_faces
    assert app.slider(key="live_smoothing").value == 1.5
    app.toggle(key="live_blur").set_value(False)
    go(rerun(app), IMAGE.file)
    assert app.toggle(key="image_blur").value is True
    assert app.slider(key="image_min_emotion").value == 70
    go(app, LIVE.file)
    assert app.toggle(key="live_blur").value is False, "a restored setting can be changed"


@pytest.mark.parametrize("page", sorted((ROOT / "pages").glob("[0-9]*.py")), ids=lambda page: page.stem)
def test_first_visitor_of_a_server_may_open_any_page(no_browser: None, page: Path) -> None:
    # Each new app here is a server on which no script has run.
    app = AppTest.from_file(str(ROOT / HOME), default_timeout=120)
    app = rerun(app.switch_page(str(page)))
    assert app.title[0].value == page.stem[2:].replace("_", " ")
    assert any("color: #111" in html.proto.body for html in app.get("html")), "Home.py has not run"


def test_leaving_the_live_page_is_not_a_failed_connection(app: AppTest) -> None:
    go(app, LIVE.file)
    app.session_state["live_connection"] = Connection.CONNECTING
    assert not go(go(app, VIDEO.file), LIVE.file).error


def test_images_are_forgotten_on_other_pages(app: AppTest) -> None:
    go(app, IMAGE.file)
    for kind in (RESULTS, EXPLANATIONS):
        app.session_state[kind][("somebody", "a.png")] = "an image"
    go(app, VIDEO.file)
    assert [len(app.session_state[kind]) for kind in (RESULTS, EXPLANATIONS)] == [0, 0]


def snapshot(*, blurred: bool) -> Snapshot:
    plain = np.full((50, 60, 3), 7, np.uint8)
    return Snapshot("snapshot-2026-11-27-101500.png", FramePair(plain, plain + 1), blurred)


@pytest.mark.parametrize("blurred", [False, True])
def test_snapshot_of_the_camera_is_read_by_the_image_page(app: AppTest, analyzer: FakeAnalyzer, blurred: bool) -> None:
    go(app, LIVE.file)
    app.session_state[SNAPSHOT_KEY] = snapshot(blurred=blurred)
    rerun(app)
    assert "stays in this session's memory only" in texts(app)
    assert any(link.proto.page == "Analyze_Image" for link in app.get("page_link"))
    go(app, IMAGE.file)
    assert app.subheader[0].value == "snapshot-2026-11-27-101500.png"
    assert analyzer.calls[-1][0] == (50, 60, 3)
    assert app.toggle(key="image_blur").value is blurred, "whoever was hidden in the video stays hidden"
    assert SNAPSHOT_KEY not in app.session_state


def test_snapshots_are_forgotten_on_other_pages(app: AppTest, analyzer: FakeAnalyzer) -> None:
    go(app, LIVE.file)
    app.session_state[SNAPSHOT_KEY] = snapshot(blurred=False)
    app.session_state[HANDED_OVER_KEY] = MemoryFile("snapshot.png", b"")
    go(app, VIDEO.file)
    assert SNAPSHOT_KEY not in app.session_state
    assert HANDED_OVER_KEY not in app.session_state


def test_videos_are_removed_on_other_pages(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    job = VideoJob(VideoRequest(b"", VideoInfo("clip", (64, 64), 1.0, 10.0)), FakeAnalyzer())
    go(app, VIDEO.file)
    app.session_state[JOB] = job
    assert list(tmp_path.iterdir())
    go(app, IMAGE.file)
    assert JOB not in app.session_state
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> MediaFileManager:
    """The files of a server on which ``VISIT`` alone is active."""
    files = MediaFileManager(MemoryMediaFileStorage("/media"))
    server = SimpleNamespace(media_file_mgr=files, is_active_session=lambda session_id: session_id == "visit")
    monkeypatch.setattr(Runtime, "_instance", server)
    return files


def click(files: MediaFileManager, visit: SimpleNamespace) -> str:
    """Click a button of this visit; returns the name of the file that the browser then asks for."""
    on_request = partial(make_and_hold, lambda: b"a,b", "table.csv", "text/csv", "key", visit)
    return PurePath(files.execute_deferred(files.add_deferred(on_request, "text/csv", "1.2", "table.csv"))).name


def scripts_end(files: MediaFileManager) -> None:
    """Other visitors' scripts end; two are enough for Streamlit to drop what is nobody's."""
    for _ in range(3):
        files.remove_orphaned_files()


def test_a_made_file_is_there_until_the_next_full_rerun(files: MediaFileManager) -> None:
    name = click(files, VISIT)
    scripts_end(files)
    held = files.read_file(name)
    assert held is not None
    assert (held.content, held.filename) == (b"a,b", "table.csv")
    files.clear_session_refs("visit")
    scripts_end(files)
    assert files.read_file(name) is None


def test_nothing_is_held_for_a_visit_that_is_over(files: MediaFileManager) -> None:
    name = click(files, SimpleNamespace(session_id="gone"))
    scripts_end(files)
    assert files.read_file(name) is None
