"""``python -m core batch`` on Ray, with an analyzer that needs no model."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from core import batch_command
from core.__main__ import main
from core.analyzer import FaceAnalyzer
from core.batch_command import AnalyzerSettings, files_done
from core.io.export import FILE_COLUMNS
from core.settings import Attributes
from core.types import Analysis
from tests.fakes.core import FakeAnalyzer

DEADLY_WIDTH = 77


class DeadlyAnalyzer(FakeAnalyzer):
    """Its process dies at the first image that is ``DEADLY_WIDTH`` wide; ``mark`` remembers that it has."""

    mark: Path

    def analyze(self, frame: NDArray[np.uint8], attributes: Attributes = Attributes()) -> Analysis:
        if frame.shape[1] == DEADLY_WIDTH and not self.mark.exists():
            self.mark.touch()
            os._exit(1)
        return super().analyze(frame, attributes)


@dataclass(frozen=True)
class DeadlySettings(AnalyzerSettings):
    mark: Path = Path("died")

    def load(self) -> FaceAnalyzer:
        analyzer = DeadlyAnalyzer()
        analyzer.mark = self.mark.absolute()
        return analyzer  # type: ignore[return-value]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Nine images, one of them deadly, and a broken file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(9):
        Image.new("RGB", (DEADLY_WIDTH if number == 4 else 60, 50)).save(folder / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"<html>")
    return folder


# Ray warns about settings of its own.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")
def test_a_killed_worker_and_another_run_lose_and_repeat_nothing(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray")
    mark = photos.parent / "died"
    monkeypatch.setattr(batch_command, "AnalyzerSettings", lambda *chosen: DeadlySettings(*chosen, mark))
    out = photos.parent / "faces.parquet"
    command = ["batch", str(photos), "--out", str(out), "--workers", "2", "--part-size", "2"]
    assert main(command) == 1
    assert mark.exists()
    assert "10 files: 9 faces, 0 without a face, 1 could not be analyzed, " in capfd.readouterr().err
    assert main(command) == 1
    assert (
        "0 files: 0 faces, 0 without a face, 1 could not be analyzed, 10 were done before, " in capfd.readouterr().err
    )
    table = pd.read_parquet(out)
    assert sorted(table["file"]) == sorted(map(str, photos.iterdir()))
    assert tuple(table) == FILE_COLUMNS
    rows = table.set_index(table["file"].map(lambda file: Path(file).name))
    assert "cannot be read as an image" in rows.at["broken.jpg", "error"]
    assert (rows["faces"].drop("broken.jpg") == 1).all()


def test_a_folder_with_other_tables_is_refused(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"name": ["a"]}).to_parquet(photos.parent / "other.parquet")
    assert main(["batch", str(photos), "--out", str(photos.parent)]) == 2
    assert "is not a table of this command" in capsys.readouterr().err
    assert files_done(photos) == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--workers", "0"], "must be at least 1"), (["--part-size", "0"], "must be at least 1")],
    ids=["workers", "part size"],
)
def test_numbers_that_make_no_sense_are_refused(
    photos: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["batch", str(photos), "--out", str(photos.parent / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
