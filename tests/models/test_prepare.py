"""Class folders made from tiny data sets; the originals must not change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.datasets.splits import UTKFACE_SPLITS, assign_utkface_split
from models.prepare import FOLDERS, main
from tests.fakes.evaluation import write_fer2013_csv

RNG = np.random.default_rng(0)


def _noise(size: int, channels: int) -> np.ndarray:
    return RNG.integers(0, 256, (size, size, channels), dtype=np.uint8)


def _snapshot(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def write_fer2013_folder(data_dir: Path) -> Path:
    for split, name in (("train", "Training"), ("test", "PublicTest"), ("test", "PrivateTest")):
        for row, emotion in enumerate(("angry", "happy")):
            folder = data_dir / "fer2013" / split / emotion
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"{name}_{row}.png"), _noise(48, 1))
    (data_dir / "fer2013" / "train" / "angry" / "Training_9.png").write_bytes(b"no picture")
    return data_dir


def write_utkface(data_dir: Path) -> list[str]:
    """At least two images of every split; returns their names."""
    (data_dir / "UTKFace").mkdir(parents=True)
    names: list[str] = []
    count = dict.fromkeys(UTKFACE_SPLITS, 0)
    number = 0
    while min(count.values()) < 2:
        name = f"{number % 90}_{number % 2}_{number % 5}_{20170116000000000 + number}.jpg.chip.jpg"
        number += 1
        split = assign_utkface_split(name)
        if count[split] < 3:
            count[split] += 1
            names.append(name)
            cv2.imwrite(str(data_dir / "UTKFace" / name), _noise(200, 3))
    return names


def test_a_csv_becomes_images_by_split_and_emotion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, output = write_fer2013_csv(tmp_path / "data", private=3), tmp_path / "output"
    before = _snapshot(data)
    assert main(["fer2013", "--data", str(data), "--output", str(output)]) == 0
    assert _snapshot(data) == before
    rows = (data / "fer2013.csv").read_text().splitlines()[1:]
    written = {path.stem: path for path in output.rglob("*.png")}
    assert len(written) == len(rows) == 7
    for number, row in enumerate(rows):
        emotion, pixels, usage = row.split(",")
        path = written[f"{usage}_{number}"]
        assert path.parts[-3] == {"Training": "train", "PublicTest": "valid", "PrivateTest": "test"}[usage]
        assert path.parts[-2] == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")[int(emotion)]
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert image.tolist() == np.array(pixels.split(), int).reshape(48, 48).tolist()
    assert "7 images" in capsys.readouterr().out


def test_folders_are_copied_file_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, output = write_fer2013_folder(tmp_path / "data"), tmp_path / "deep" / "output"
    before = _snapshot(data)
    assert main(["fer2013", "--data", str(data), "--output", str(output)]) == 0
    assert _snapshot(data) == before
    assert _snapshot(output) == {
        f"{folder}/{emotion}/{name}_{row}.png": before[f"fer2013/{split}/{emotion}/{name}_{row}.png"]
        for folder, split, name in (
            ("train", "train", "Training"),
            ("valid", "test", "PublicTest"),
            ("test", "test", "PrivateTest"),
        )
        for row, emotion in enumerate(("angry", "happy"))
    }
    printed = capsys.readouterr()
    assert "train/angry" in printed.out
    assert "left out: 1 files or rows: 1 unreadable image (train/angry/Training_9.png)" in printed.err
    assert "no images in the split private of emotion disgust, fear, sad, surprise, neutral" in printed.err


@pytest.mark.parametrize(
    ("options", "class_of"),
    [
        ([], lambda age, gender: ("male", "female")[gender]),
        (["--by", "age_group"], lambda age, gender: next(name for last, name in GROUPS if age <= last)),
    ],
    ids=["gender by default", "age_group"],
)
def test_utkface_by_our_split(tmp_path: Path, options: list[str], class_of: Callable[[int, int], str]) -> None:
    data, output = tmp_path / "data", tmp_path / "output"
    names = write_utkface(data)
    before = _snapshot(data)
    assert main(["utkface", "--data", str(data), "--output", str(output), *options]) == 0
    assert _snapshot(data) == before
    expected = {}
    for name in names:
        age, gender = (int(part) for part in name.split("_")[:2])
        expected[f"{FOLDERS[assign_utkface_split(name)]}/{class_of(age, gender)}/{name}"] = before[f"UTKFace/{name}"]
    assert _snapshot(output) == expected


GROUPS = (
    (3, "0-2"),
    (7, "4-6"),
    (14, "8-13"),
    (22, "15-20"),
    (35, "25-32"),
    (45, "38-43"),
    (56, "48-53"),
    (116, "60+"),
)
"""Last age that is nearest to a group, the younger one of two that are as near."""


def _linked(data: Path) -> Path:
    (data.parent / "link").symlink_to(data)
    return data.parent / "link" / "new"


def _inside_what_is_linked_to(data: Path) -> Path:
    (data / "fer2013").rename(data.parent / "elsewhere")
    (data / "fer2013").symlink_to(data.parent / "elsewhere")
    return data.parent / "elsewhere" / "new"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (lambda data: data, "lies in the data folder"),
        (lambda data: data / "fer2013" / "new", "lies in the data folder"),
        (lambda data: data / ".." / "data" / "new", "lies in the data folder"),
        (_linked, "lies in the data folder"),
        (_inside_what_is_linked_to, "lies in the data folder"),
        (lambda data: data.parent / "full", "is not empty"),
        (lambda data: data.parent / "file", "is a file"),
        (lambda data: data.parent / "file" / "output", "cannot be written"),
        (lambda data: data.parent, "is not empty"),
    ],
    ids=["same", "inside", "dots", "link", "linked to", "not empty", "file", "in a file", "around"],
)
def test_harmful_outputs_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: Callable[[Path], Path], words: str
) -> None:
    data = write_fer2013_folder(tmp_path / "all" / "data")
    (data.parent / "full").mkdir()
    for file in ("full/mine.txt", "file"):
        (data.parent / file).write_text("keep")
    output = place(data)
    before = _snapshot(tmp_path)
    assert main(["fer2013", "--data", str(data), "--output", str(output)]) == 2
    assert words in capsys.readouterr().err
    assert _snapshot(tmp_path) == before


@pytest.mark.parametrize("dataset", ["fer2013", "utkface"])
def test_missing_data_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str], dataset: str) -> None:
    assert main([dataset, "--data", str(tmp_path / "nothing"), "--output", str(tmp_path / "output")]) == 2
    assert "expected" in capsys.readouterr().err
    assert not (tmp_path / "output").exists()


def test_classes_of_fer2013_cannot_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["fer2013", "--data", str(tmp_path), "--output", str(tmp_path / "output"), "--by", "gender"])
    assert "--by is for utkface" in capsys.readouterr().err
