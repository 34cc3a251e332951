"""A video from file to results, with an analyzer that needs no model."""

from __future__ import annotations

import csv
import io
import json
import weakref
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import UnreadableVideoError
from core.settings import Attributes, OverlayStyle, VideoSampling
from core.types import Analysis, Box, Detection, Face
from core.video.analysis import AnnotatedCopy, Sample, analyze_video, describe_early_end, interpolate
from core.video.reader import VideoInfo, probe_video
from core.video.records import SAMPLE_COLUMNS, ResultFiles
from tests.fakes.core import CHILD, FakeAnalyzer
from tests.fakes.videos import portrait, video

PLAIN = OverlayStyle(labels=False)


class Walker(FakeAnalyzer):
    """Sees one face, ``step`` pixels farther to the right in every sample."""

    step = 4

    def analyze(self, frame: NDArray[np.uint8], attributes: Attributes = Attributes()) -> Analysis:
        self.calls.append((frame.shape, attributes))
        return Analysis(frame.shape[1], frame.shape[0], (self._move(CHILD, self.step * len(self.calls)),))


class Alive:
    """Counts the frames that are in memory at the same time."""

    def __init__(self) -> None:
        self.most = 0
        self._frames: list[weakref.ref[Any]] = []

    def add(self, sample: Sample) -> None:
        self._frames.append(weakref.ref(sample.pixels))
        self.most = max(self.most, sum(frame() is not None for frame in self._frames))


def run(data: bytes, *sinks: Any, stop_after: int | None = None, **settings: Any) -> list[float]:
    info = probe_video(data, "clip")
    times = []
    with closing(analyze_video(data, info, FakeAnalyzer(), sinks, **settings)) as samples:
        for time_s in samples:
            times.append(round(time_s, 3))
            if len(times) == stop_after:
                break
    return times


def described(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return {stream.type: stream.codec_context.codec.canonical_name for stream in container.streams}


def frames_of(path: Path) -> list[tuple[float, NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        return [(frame.time, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]


def test_results_as_csv_and_json() -> None:
    data = video()
    info = probe_video(data, "clip")
    streams = {name: io.StringIO(newline="") for name in ("samples", "people", "audience", "json")}
    with ResultFiles(info, {"emotion": "emotion"}, **streams) as results:
        run(data, *results.sinks)
    samples, people, audience = (
        list(csv.DictReader(io.StringIO(streams[name].getvalue(), newline="")))
        for name in ("samples", "people", "audience")
    )
    assert tuple(samples[0]) == SAMPLE_COLUMNS
    assert [row["time_s"] for row in samples] == ["0.00", "0.20", "0.40", "0.60", "0.80"]
    assert {(row["track_id"], row["emotion"], row["x1"]) for row in samples} == {("1", "happy", "4.0")}
    (person,) = people
    assert (person["first_s"], person["last_s"], person["seconds"]) == ("0.0", "0.8", "1.0")
    assert (person["mean_age"], person["perceived_gender"], person["share_happy"]) == ("7.4", "female", "1.0")
    assert [(row["of"], row["people"]) for row in audience] == [("everybody", "1"), ("time", "1")]
    result = json.loads(streams["json"].getvalue())
    assert set(result) == {"file", "video", "networks", "samples", "people"}
    assert [sample["time_s"] for sample in result["samples"]] == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert result["samples"][0]["faces"][0]["track_id"] == 1
    assert result["people"][0]["seconds"] == 1.0


def test_boxes_are_in_pixels_of_the_video() -> None:
    stream = io.StringIO(newline="")
    info = VideoInfo("clip", (640, 320), None, None)
    with ResultFiles(info, {}, samples=stream) as results:
        face = replace(CHILD, track_id=1)
        for sink in results.sinks:
            sink.add(Sample(0.0, 0.2, Analysis(320, 160, (face,)), np.zeros((160, 320, 3), np.uint8)))
    (row,) = csv.DictReader(io.StringIO(stream.getvalue(), newline=""))
    assert [float(row[name]) for name in ("x1", "y1", "x2", "y2")] == [8, 8, 88, 88]


@pytest.mark.parametrize("annotated", [False, True], ids=["results only", "annotated"])
def test_memory_is_flat(annotated: bool, tmp_path: Path) -> None:
    alive = Alive()
    copy = AnnotatedCopy(tmp_path / "a.mp4", PLAIN) if annotated else None
    run(video(frames=[portrait(64)] * 60), alive, annotated=copy)
    assert alive.most <= 3


@pytest.mark.parametrize(
    ("kind", "sound", "written"),
    [
        ("mp4", "aac", "aac"),
        ("mov", "pcm_s16le", "aac"),
        ("mkv", "libopus", "aac"),
        ("avi", "mp3", "mp3"),
        ("mp4", "", ""),
    ],
)
def test_the_annotated_copy_plays_everywhere(kind: str, sound: str, written: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    run(video(kind, [portrait()] * 20, sound=sound), annotated=AnnotatedCopy(path))
    assert described(path) == {"video": "h264"} | ({"audio": written} if written else {})
    contents = path.read_bytes()
    assert contents.index(b"moov") < contents.index(b"mdat"), "players must load all of it first"
    with av.open(str(path)) as container:
        durations = [float(stream.duration * stream.time_base) for stream in container.streams]
    assert durations == pytest.approx([2.0] * len(durations), abs=0.15)


def test_a_part_begins_at_zero_with_its_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    data = video(frames=[portrait()] * 30, sound="aac")
    sampling = VideoSampling(start_s=1.0, end_s=2.0)
    assert run(data, sampling=sampling, annotated=AnnotatedCopy(path)) == [1.0, 1.2, 1.4, 1.6, 1.8]
    assert [round(time_s, 2) for time_s, _ in frames_of(path)] == [round(k / 10, 2) for k in range(10)]
    with av.open(str(path)) as container:
        sound = container.streams.audio[0]
        assert float(sound.start_time * sound.time_base) == pytest.approx(0, abs=0.05)
        assert float(sound.duration * sound.time_base) == pytest.approx(1, abs=0.05)


def test_faces_are_blurred_between_the_samples_too(tmp_path: Path) -> None:
    # At 10 frames and 1 sample per second, the face walks 40 pixels between two samples.
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 160, 3), dtype=np.uint8)
    data = video("mkv", [noise] * 21, codec="ffv1", pix_fmt="yuv444p")
    path, walker = tmp_path / "a.mp4", Walker()
    walker.step = 40
    copy = AnnotatedCopy(path, OverlayStyle(labels=False, blur_faces=True))
    list(analyze_video(data, probe_video(data, "clip"), walker, [], sampling=VideoSampling(fps=1), annotated=copy))
    for number, (_, pixels) in enumerate(frames_of(path)[:20]):
        left = 44 + 4 * number
        inside = pixels[10:40, left + 6 : left + 34].astype(int)
        assert np.abs(np.diff(inside, axis=1)).mean() < 12, f"frame {number}"
    assert np.abs(np.diff(noise[10:40].astype(int), axis=1)).mean() > 60


def test_stopping_keeps_what_was_done(tmp_path: Path) -> None:
    path, stream = tmp_path / "a.mp4", io.StringIO(newline="")
    data = video(frames=[portrait()] * 40, sound="aac")
    with ResultFiles(probe_video(data, "clip"), {}, samples=stream) as results:
        run(data, *results.sinks, stop_after=5, annotated=AnnotatedCopy(path))
    assert len(stream.getvalue().splitlines()) == 6
    assert frames_of(path)[-1][0] == pytest.approx(0.8)
    assert described(path) == {"video": "h264", "audio": "aac"}
    assert results.log.people()[0].mix.seconds == pytest.approx(1.0)


def test_a_part_that_is_not_there() -> None:
    with pytest.raises(UnreadableVideoError, match=r"no frame from 9 s on; it has 1\.0 s"):
        run(video(), sampling=VideoSampling(start_s=9))


def test_an_early_end_is_told() -> None:
    info = VideoInfo("clip", (64, 64), 60.0, 30.0)
    assert describe_early_end(info, VideoSampling(), 59.0) == ""
    assert "ends at 20.0 s, 40.0 s earlier" in describe_early_end(info, VideoSampling(), 20.0)
    assert describe_early_end(info, VideoSampling(end_s=20.0), 19.8) == ""
    assert describe_early_end(replace(info, duration_s=None), VideoSampling(), 1.0) == ""


def test_boxes_move_between_samples() -> None:
    def seen(*boxes: tuple[int, Box]) -> Analysis:
        return Analysis(100, 100, tuple(Face(Detection(box, 0.9), track_id=number) for number, box in boxes))

    before = seen((1, Box(0, 0, 10, 10)), (2, Box(50, 50, 60, 60)))
    after = seen((1, Box(20, 0, 40, 20)), (3, Box(80, 80, 90, 90)))
    between = interpolate(before, after, 0.25)
    assert [face.box.xyxy for face in between.faces] == [(5, 0, 17.5, 12.5), (50, 50, 60, 60)]
