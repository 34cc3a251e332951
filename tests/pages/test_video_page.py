"""The video page, with an analyzer that needs no model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import DetectorError
from core.settings import VideoLimits
from core.video import job as jobs
from core.video.job import VideoJob
from pages.shared.video.jobs import JOB, WAITING, describe_progress
from pages.shared.video.results import NOBODY, read_timeline
from tests.fakes.core import FakeAnalyzer
from tests.fakes.videos import portrait, tone_only, video
from tests.pages.apps import VIDEO, download_names, metrics, rerun, texts
from tests.video.test_job import LONG_S, PausedAnalyzer

CLIP = video(frames=[portrait()] * 30)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def app(analyzer: FakeAnalyzer, folder: Path) -> Iterator[AppTest]:
    page = VIDEO.open()
    yield page
    if JOB in page.session_state:
        page.session_state[JOB].close()
        page.session_state[JOB].join(LONG_S)


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    app.file_uploader(key="video_file").set_value((name, data, ""))
    return rerun(app)


def start(app: AppTest) -> VideoJob:
    app.button(key="video_start").click()
    job: VideoJob = rerun(app).session_state[JOB]
    return job


def analyze(app: AppTest) -> AppTest:
    start(app).join(LONG_S)
    return rerun(app)


def test_an_uploaded_video(app: AppTest) -> None:
    assert "Add a video" in texts(app)
    upload(app, "clip.mp4", CLIP)
    assert "clip.mp4 · 128 x 128 pixels · 3.0 s" in texts(app)
    analyze(app)
    assert len(app.get("video")) == 1
    assert dict(metrics(app)) == {
        "People": "1",
        "In view at the end": "1",
        "Mean time in view": "3.0 s",
        "Mean valence": "+0.78",
    }
    (people,) = (table.value for table in app.dataframe)
    assert people.loc[0, ["Person", "In view", "Mean age", "Perceived gender"]].tolist() == [1, 3.0, 7, "female"]
    assert people.loc[0, "Picture"].startswith("data:image/jpeg;base64,")
    assert download_names(app) == [
        "Annotated video (MP4)",
        "Samples (CSV)",
        "People (CSV)",
        "All results (JSON)",
        "Audience (CSV)",
    ]
    assert app.button(key="video_start").label == "Analyze again"


def test_the_sample_video(app: AppTest) -> None:
    app.pills(key="video_sample").set_value("Two portraits")
    rerun(app)
    app.slider(key="video_part_8.00").set_value((0.0, 1.0))
    assert dict(metrics(analyze(rerun(app))))["Mean time in view"] == "1.0 s"


def test_the_position_moves_player_and_line(app: AppTest) -> None:
    analyze(upload(app, "clip.mp4", CLIP))
    app.slider(key="video_position").set_value(2)
    rerun(app)
    assert app.get("video")[0].proto.start_time == 2
    assert '"x0":2.0' in app.get("plotly_chart")[0].proto.spec.replace(" ", "")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("tone.mp4", tone_only(), "tone.mp4 cannot be read as a video: it has sound but no pictures"),
        ("letter [1].mp4", b"Dear customer", r"letter \[1\].mp4 cannot be read as a video"),
        ("empty.mp4", b"", "empty.mp4 cannot be read as a video: it is empty"),
    ],
    ids=["sound only", "text", "empty"],
)
def test_other_files_get_a_message(name: str, data: bytes, message: str, app: AppTest) -> None:
    upload(app, name, data)
    assert [message in error.value for error in app.error] == [True]
    assert not app.button


def test_long_videos_are_analyzed_in_parts(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.shared.video.inputs.LIMITS", VideoLimits(max_duration_s=1.2))
    upload(app, "clip.mp4", CLIP)
    part = app.slider(key="video_part_3.00")
    assert part.value == (0.0, 1.2)
    part.set_value((0.0, 3.0))
    rerun(app)
    assert "Choose a shorter one" in texts(app)
    assert app.button(key="video_start").disabled
    app.slider(key="video_part_3.00").set_value((1.0, 2.0))
    people = analyze(rerun(app)).dataframe[0].value
    assert people.loc[0, ["First seen", "Last seen"]].tolist() == [1.0, 1.8]


def test_blurred_faces_are_nowhere(app: AppTest) -> None:
    app.toggle(key="video_blur").set_value(True)
    analyze(upload(rerun(app), "clip.mp4", CLIP))
    assert app.session_state[JOB].request.style.blur_faces
    assert "Picture" not in app.dataframe[0].value


def test_settings_reach_the_analysis(app: AppTest, analyzer: FakeAnalyzer) -> None:
    app.slider(key="video_fps").set_value(10)
    app.toggle(key="video_emotion").set_value(False)
    analyze(upload(rerun(app), "clip.mp4", CLIP))
    assert len(analyzer.calls) == 30
    assert "No emotion was predicted." in texts(app)
    assert dict(metrics(app))["Mean valence"] == "–"


def test_nobody_in_view(app: AppTest, analyzer: FakeAnalyzer) -> None:
    analyzer.count = 0
    analyze(upload(app, "clip.mp4", CLIP))
    assert NOBODY in texts(app)
    assert dict(metrics(app))["People"] == "0"


def test_groups_of_an_audience(app: AppTest, analyzer: FakeAnalyzer) -> None:
    analyzer.count = 6
    analyze(upload(app, "clip.mp4", CLIP))
    assert dict(metrics(app))["People"] == "6"
    assert len(app.dataframe) == 1, "everybody is in one group"


def test_a_failure_is_told(app: AppTest, analyzer: FakeAnalyzer) -> None:
    analyzer.error = DetectorError("the detector is broken")
    analyze(upload(app, "clip.mp4", CLIP))
    assert [error.value for error in app.error] == ["the detector is broken"]
    assert not app.get("video")


def test_cancelling_keeps_what_was_done(
    no_browser: None, folder: Path, app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = PausedAnalyzer()
    monkeypatch.setattr("pages.shared.resources.get_analyzer", lambda *settings: paused)
    upload(app, "clip.mp4", CLIP)
    job = start(app)
    assert paused.paused.wait(LONG_S)
    rerun(app)
    assert app.button(key="video_start").disabled
    app.button(key="video_cancel").click()
    rerun(app)
    paused.go_on.set()
    job.join(LONG_S)
    rerun(app)
    assert "Cancelled at 0.4 s" in texts(app)
    assert len(app.get("video")) == 1


def test_the_next_video_waits(app: AppTest) -> None:
    with jobs._turn:
        upload(app, "clip.mp4", CLIP)
        job = start(app)
        assert WAITING in texts(app)
    job.join(LONG_S)
    assert len(rerun(app).get("video")) == 1


def test_files_are_removed_with_the_video(app: AppTest, folder: Path) -> None:
    analyze(upload(app, "clip.mp4", CLIP))
    assert list(folder.iterdir())
    app.file_uploader(key="video_file").set_value(None)
    rerun(app)
    assert list(folder.iterdir()) == []


def test_progress_in_words() -> None:
    state = jobs.JobState(jobs.Status.RUNNING, 12.42, 0.1, 42.0)
    assert describe_progress(state) == "12.4 s of the video done · about 42 s left"
    later = jobs.JobState(jobs.Status.RUNNING, 1.0, 0.1, 300.0)
    assert describe_progress(later) == "1.0 s of the video done · about 5 minutes left"
    assert describe_progress(jobs.JobState(jobs.Status.RUNNING, 3.0)) == "3.0 s of the video done"


def test_timelines_are_thinned(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    emotions = "angry,disgust,fear,happy,sad,surprise,neutral,valence"
    lines = [f"{second},{person},0,0,0,{person - 1},0,0,0,0" for second in range(2500) for person in (1, 2)]
    path.write_text("\n".join([f"time_s,track_id,{emotions}", *lines]))
    assert len(read_timeline(path, [1, 2])) == 834
    assert set(read_timeline(path, [1, 2])["happy"]) == {0.5}
    assert set(read_timeline(path, [2])["happy"]) == {1.0}
    assert read_timeline(path, []).empty
