"""``python -m models.evaluate --folder`` with an analyzer that needs no model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from models.evaluate import main
from tests.fakes.core import FakeAnalyzer


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("core.analyzer.FaceAnalyzer.default", lambda *settings: FakeAnalyzer())
    for name in ("happy/a.png", "sad/9_1_b.png", "odd/c.png"):
        (tmp_path / "own" / name).parent.mkdir(parents=True)
        Image.new("RGB", (60, 50)).save(tmp_path / "own" / name)
    return tmp_path / "own"


def test_everything_is_printed_and_written(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--folder={folder}", "--tables", str(tmp_path / "tables")]) == 0
    printed = capsys.readouterr()
    assert "left out: 1 files or rows: 1 unknown class folder: odd (odd/c.png)" in printed.err
    assert "no face with the label emotion angry" in printed.err
    for text in ("FER2013 PrivateTest", "UTKFace test", "emotion confusion", "sad → happy 85%  sad/9_1_b.png"):
        assert text in printed.out
    with (tmp_path / "tables" / "predictions.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["true_emotion"] for row in csv.DictReader(stream)] == ["happy", "sad"]
    assert len(list((tmp_path / "tables").iterdir())) == 8


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(folder), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["metrics"]["emotion"]["accuracy"] == 0.5
    assert (result["counts"]["emotion"]["missed"], result["counts"]["age"]["end_to_end"]) == (0, None)
    assert result["left_out"] == [{"where": "odd/c.png", "reason": "unknown class folder: odd"}]


def test_folder_without_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(tmp_path)]) == 2
    assert "error: no labelled image found (no images): expected folders" in capsys.readouterr().err
