"""Results of many files on disk: complete after each record, and usable again after an interruption."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError, UnreadableImageError
from core.io.records import CsvRecords, JsonRecords, RecordFile, align_records
from core.types import Analysis
from tests.fakes.core import FakeAnalyzer

FRAME = np.zeros((50, 60, 3), np.uint8)
OUTCOMES = {
    "two.jpg": FakeAnalyzer(2).analyze(FRAME),
    "none.jpg": Analysis(60, 50),
    "=broken, or\nnot.jpg": UnreadableImageError('it is "empty"\nor cut off'),
    "odd \udcff.jpg": FakeAnalyzer(1).analyze(FRAME),
}
PRINTABLE = ["two.jpg", "none.jpg", "=broken, or\nnot.jpg", "odd \\udcff.jpg"]


def open_csv(path: Path, resume: bool = False) -> RecordFile:
    return CsvRecords(path.with_suffix(".csv"), resume)


def open_json(path: Path, resume: bool = False) -> RecordFile:
    return JsonRecords(path.with_suffix(".json"), resume, {"emotion": "emotion"})


@pytest.fixture(params=[open_csv, open_json], ids=["csv", "json"])
def kind(request):
    return request.param


def write_all(file: RecordFile) -> Path:
    for name, outcome in OUTCOMES.items():
        file.add(name, outcome)
    file.close()
    return file.path


def test_csv_has_a_row_per_face_and_one_per_other_file(tmp_path: Path) -> None:
    with write_all(open_csv(tmp_path / "a")).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["face"], row["faces"], bool(row["error"])) for row in rows] == [
        ("1", "2", False),
        ("2", "2", False),
        ("", "0", False),
        ("", "", True),
        ("1", "1", False),
    ]
    assert rows[3]["file"] == "'=broken, or\nnot.jpg"


def test_json_is_complete_after_every_record(tmp_path: Path) -> None:
    file = open_json(tmp_path / "a")
    assert json.loads(file.path.read_text()) == []
    for count, (name, outcome) in enumerate(OUTCOMES.items(), start=1):
        file.add(name, outcome)
        assert len(json.loads(file.path.read_text())) == count
    file.close()
    first, *_, last = json.loads(file.path.read_text())
    assert (first["file"], len(first["faces"]), first["networks"]) == ("two.jpg", 2, {"emotion": "emotion"})
    assert last["file"] == "odd \udcff.jpg"


def test_every_cut_off_file_can_go_on(tmp_path: Path, kind) -> None:
    whole = write_all(kind(tmp_path / "whole")).read_bytes()
    path = tmp_path / whole_name(kind)
    for size in (*range(20), *range(20, len(whole), 7)):
        path.write_bytes(whole[:size])
        file = kind(path, resume=True)
        done = [record.file for record in file.records]
        assert done == PRINTABLE[: len(done)]
        for name in list(OUTCOMES)[len(done) :]:
            file.add(name, OUTCOMES[name])
        file.close()
        assert path.read_bytes() == whole


def whole_name(kind) -> str:
    return "a.csv" if kind is open_csv else "a.json"


def test_failures_are_known_again(tmp_path: Path, kind) -> None:
    write_all(kind(tmp_path / "a"))
    file = kind(tmp_path / "a", resume=True)
    assert align_records([file]) == dict(zip(PRINTABLE, (False, False, True, False), strict=True))
    file.close()


def test_existing_file_is_not_overwritten(tmp_path: Path, kind) -> None:
    path = write_all(kind(tmp_path / "a"))
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=r"exists\. Add --resume"):
        kind(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n\0\0", b"file,name\r\na,b\r\n", b'[\n  {\n    "file": "a"\n  }\n]\n', b"[\n1\n]\n"],
    ids=["image", "other table", "other layout", "other list"],
)
def test_foreign_file_is_not_touched(tmp_path: Path, kind, content: bytes) -> None:
    path = tmp_path / whole_name(kind)
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is not a file of this command's results"):
        kind(path, resume=True)
    assert path.read_bytes() == content


def test_folder_that_does_not_exist(tmp_path: Path, kind) -> None:
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        kind(tmp_path / "absent" / "a")


def test_record_that_only_one_file_has_is_dropped(tmp_path: Path) -> None:
    paths = [write_all(open_file(tmp_path / "a")) for open_file in (open_csv, open_json)]
    whole = paths[0].read_bytes()
    file = open_csv(paths[0], resume=True)
    file.keep(3)
    file.close()
    files = [open_csv(paths[0], resume=True), open_json(paths[1], resume=True)]
    assert list(align_records(files)) == PRINTABLE[:3]
    assert [len(file.records) for file in files] == [3, 3]
    for file in files:
        file.add("odd \udcff.jpg", OUTCOMES["odd \udcff.jpg"])
        file.close()
    assert paths[0].read_bytes() == whole


def test_files_of_different_runs_are_refused(tmp_path: Path) -> None:
    write_all(open_csv(tmp_path / "a"))
    files = [open_csv(tmp_path / "a", resume=True), open_json(tmp_path / "a", resume=True)]
    with pytest.raises(ConfigError, match="are of different runs"):
        align_records(files)
    assert len(files[0].records) == 4
    for file in files:
        file.close()
