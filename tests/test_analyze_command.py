"""``python -m core analyze`` on many files, with an analyzer that needs no model."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core import analyze_command
from core.__main__ import main
from core.settings import Attributes
from core.types import Analysis
from tests.fakes.core import FakeAnalyzer


class InterruptedAnalyzer(FakeAnalyzer):
    """Its user presses Ctrl+C at call ``interrupt_at``."""

    interrupt_at = 0

    def warm_up(self) -> None:
        pass

    def analyze(self, frame: NDArray[np.uint8], attributes: Attributes = Attributes()) -> Analysis:
        if len(self.calls) + 1 == self.interrupt_at:
            self.interrupt_at = 0
            raise KeyboardInterrupt
        return super().analyze(frame, attributes)


@pytest.fixture
def analyzer(monkeypatch: pytest.MonkeyPatch) -> InterruptedAnalyzer:
    fake = InterruptedAnalyzer()
    monkeypatch.setattr("core.analyze_command.FaceAnalyzer.default", lambda *settings: fake)
    return fake


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four images, two of them in a subfolder, and one broken file."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.png", "b.jpg", "sub/a.png", "sub/c.jpg"):
        Image.new("RGB", (60, 50)).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"<html>")
    return folder


def analyze(*arguments: str) -> int:
    return main(["analyze", "photos", "--recursive", *arguments])


def files_in_csv(path: str = "faces.csv") -> list[str]:
    with Path(path).open(newline="", encoding="utf-8") as stream:
        return [row["file"] for row in csv.DictReader(stream)]


def read_json(path: str = "faces.json") -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = json.loads(Path(path).read_text())
    return results


ALL = [str(Path("photos", name)) for name in ("a.png", "b.jpg", "broken.jpg", "sub/a.png", "sub/c.jpg")]


def test_tables_and_annotated_copies(
    photos: Path, analyzer: InterruptedAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert analyze("--csv", "faces.csv", "--json", "faces.json", "--annotate", "drawn") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "photos/broken.jpg: error: photos/broken.jpg cannot be read as an image" in printed.err
    assert printed.err.endswith("5 files: 4 faces, 0 without a face, 1 could not be analyzed\n")
    assert "5/5" in printed.err, "the progress bar"
    assert files_in_csv() == [result["file"] for result in read_json()] == ALL
    drawn = sorted(str(path.relative_to("drawn")) for path in Path("drawn").rglob("*.*"))
    assert drawn == ["a.png.jpg", "b.jpg", "sub/a.png.jpg", "sub/c.jpg"]
    with Image.open("drawn/sub/a.png.jpg") as image:
        assert (image.format, image.size[0]) == ("JPEG", 60)
        assert np.asarray(image).any(), "something is drawn"


@pytest.mark.parametrize("interrupt_at", [1, 3, 4])
def test_interrupted_run_goes_on(
    photos: Path, analyzer: InterruptedAnalyzer, capsys: pytest.CaptureFixture[str], interrupt_at: int
) -> None:
    outputs = ("--csv", "faces.csv", "--json", "faces.json")
    analyzer.interrupt_at = interrupt_at
    assert analyze(*outputs) == analyze_command.INTERRUPTED
    before = files_in_csv()
    assert before == ALL[: len(before)]
    assert f"interrupted: {5 - len(before)} file" in capsys.readouterr().err
    assert analyze(*outputs, "--resume") == 1, "the broken file counts, whenever it was met"
    assert files_in_csv() == [result["file"] for result in read_json()] == ALL
    assert len(analyzer.calls) == 4, "nothing is analyzed twice"
    assert f"1 could not be analyzed, {len(before)} were done before" in capsys.readouterr().err or not before


def test_finished_run_has_nothing_to_go_on_with(photos: Path, analyzer: InterruptedAnalyzer) -> None:
    analyze("--csv", "faces.csv")
    assert analyze("--csv", "faces.csv", "--resume") == 1
    assert len(analyzer.calls) == 4
    Image.new("RGB", (60, 50)).save(photos / "new.png")
    analyze("--csv", "faces.csv", "--resume")
    assert files_in_csv() == [*ALL, str(Path("photos", "new.png"))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume"], "--resume needs the --csv or --json FILE"),
        (["--csv", "photos/a.png"], "photos/a.png exists"),
        (["--annotate", "photos"], "the annotated copies would overwrite photos/b.jpg"),
    ],
    ids=["nothing to go on with", "existing file", "originals"],
)
def test_what_would_lose_something_is_refused(
    photos: Path,
    analyzer: InterruptedAnalyzer,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    originals = {path: path.read_bytes() for path in photos.rglob("*.*")}
    assert analyze(*arguments) == 2
    assert message in capsys.readouterr().err
    assert {path: path.read_bytes() for path in photos.rglob("*.*")} == originals


def test_nothing_found(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "*.bmp"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "no file matches *.bmp",
        "error: no image to analyze. Name images, folders or patterns.",
    ]


def test_json_is_printed_as_before(
    photos: Path, analyzer: InterruptedAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    # Without a file name, --json may stand before the images.
    for arguments in (["--json", "photos/a.png", "photos/b.jpg"], ["photos/a.png", "photos/b.jpg", "--json"]):
        assert main(["analyze", *arguments]) == 0
        out = capsys.readouterr().out
        assert [result["file"] for result in json.loads(out)] == ["photos/a.png", "photos/b.jpg"]
        assert out == json.dumps(json.loads(out), indent=2) + "\n"


def test_annotated_folder_inside_the_searched_one_is_left_out(photos: Path, analyzer: InterruptedAnalyzer) -> None:
    for _ in range(2):
        assert analyze("--annotate", "photos/drawn") == 1
        assert len(list(Path("photos/drawn").rglob("*.*"))) == 4
