"""``python -m core video``, with an analyzer that needs no model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from core.__main__ import main
from core.settings import DetectorSettings
from core.video.reader import probe_video
from tests.fakes.videos import portrait, tone_only, video
from tests.test_analyze_command import InterruptedAnalyzer


@pytest.fixture
def analyzer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> InterruptedAnalyzer:
    monkeypatch.chdir(tmp_path)
    Path("film.mp4").write_bytes(video(frames=[portrait()] * 20, sound="aac"))
    fake = InterruptedAnalyzer()

    def default(settings: DetectorSettings, *others: object) -> InterruptedAnalyzer:
        fake.settings.append(settings)
        return fake

    monkeypatch.setattr("core.video_command.FaceAnalyzer.default", default)
    return fake


def rows(name: str) -> list[dict[str, str]]:
    with Path(name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_all_outputs(analyzer: InterruptedAnalyzer, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = ("--csv", "rows.csv", "--people", "people.csv", "--audience", "audience.csv", "--annotated", "a.mp4")
    assert main(["video", "film.mp4", *outputs, "--blur", "--json", "--sensitivity", "0.8"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["people"][0]["seconds"] == 2.0
    assert "film.mp4: 1 person in view up to 1.8 s" in printed.err
    assert "of 2.0 s" in printed.err, "progress"
    assert [row["time_s"] for row in rows("rows.csv")] == [f"{number / 5:.2f}" for number in range(10)]
    assert [row["seconds"] for row in rows("people.csv")] == ["2.0"]
    assert rows("audience.csv")[0]["people"] == "1"
    assert probe_video(Path("a.mp4"), "a.mp4").duration_s == pytest.approx(2.0)
    assert analyzer.settings[0].sensitivity == 0.8


def test_people_are_printed(analyzer: InterruptedAnalyzer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["video", "film.mp4", "--start", "0.5", "--fps", "10"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line == ("person 1: 0.5 to 1.9 s, 1.5 s in view, age 7, perceived gender female 70%, happy 100%")


def test_nobody_is_told(analyzer: InterruptedAnalyzer, capsys: pytest.CaptureFixture[str]) -> None:
    analyzer.count = 0
    assert main(["video", "film.mp4"]) == 0
    assert capsys.readouterr().out == "nobody in view\n"


def test_ctrl_c_keeps_what_is_done(analyzer: InterruptedAnalyzer, capsys: pytest.CaptureFixture[str]) -> None:
    analyzer.interrupt_at = 7
    assert main(["video", "film.mp4", "--csv", "rows.csv", "--people", "people.csv", "--annotated", "a.mp4"]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert [len(rows("rows.csv")), len(rows("people.csv"))] == [6, 1]
    assert probe_video(Path("a.mp4"), "a.mp4").duration_s == pytest.approx(1.2, abs=0.11)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.mp4"], "missing.mp4 cannot be read: No such file"),
        (["tone.mp4"], "tone.mp4 cannot be read as a video: it has sound but no pictures"),
        (["film.mp4", "--csv", "film.mp4"], "film.mp4 cannot be written: File exists. Choose another file."),
        (["film.mp4", "--csv", "nowhere/a.csv"], "nowhere/a.csv cannot be written"),
        (["film.mp4", "--fps", "100"], "fps must be in [1, 30], got 100"),
        (["film.mp4", "--start", "3", "--end", "2"], "start must be at least 0 and before end, got 3 and 2"),
        (["film.mp4", "--start", "30", "--csv", "a.csv", "--annotated", "a.mp4"], "film.mp4 has no frame from 30 s on"),
        (["film.mp4", "--csv", "a.csv", "--people", "a.csv"], "a.csv cannot be written: File exists"),
    ],
    ids=["missing", "sound only", "taken", "no folder", "rate", "part", "beyond", "same file"],
)
def test_errors_in_one_line(
    arguments: list[str], message: str, analyzer: InterruptedAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("tone.mp4").write_bytes(tone_only())
    assert main(["video", *arguments]) == 2
    assert f"error: {message}" in capsys.readouterr().err
    assert {path.name for path in Path().iterdir()} == {"film.mp4", "tone.mp4"}, "nothing is left behind"


def test_an_early_end_is_told(analyzer: InterruptedAnalyzer, capsys: pytest.CaptureFixture[str]) -> None:
    data = video("mkv", np.random.default_rng(0).integers(0, 256, (60, 64, 64, 3), dtype=np.uint8))
    Path("cut.mkv").write_bytes(data[: len(data) // 2])
    assert main(["video", "cut.mkv"]) == 0
    assert "earlier than it claims" in capsys.readouterr().err
