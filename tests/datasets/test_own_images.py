from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from core.datasets.own_images import list_folder_files, read_own_images
from core.datasets.samples import Rejected
from core.errors import DatasetError
from core.types import Emotion, Gender
from pages.shared.image.files import MemoryFile
from tests.io.test_mutated_images import mutate

Labels = tuple[Emotion | None, int | None, Gender | None]


def read(*names: str, **tables: str) -> tuple[dict[str, Labels], dict[str, str]]:
    """``tables``: name without ``.csv`` -> text."""
    files = [MemoryFile(name, b"") for name in names]
    files += [MemoryFile(f"{name}.csv", text.encode("utf-8-sig")) for name, text in tables.items()]
    own = read_own_images(files)
    labels = {image.file.name: (image.emotion, image.age, image.gender) for image in own.images}
    return labels, {rejected.where: rejected.reason for rejected in own.rejected}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("happy/a.jpg", (Emotion.HAPPY, None, None)),
        ("test/Anger/b/c.PNG", (Emotion.ANGRY, None, None)),
        ("Women/a.jpg", (None, None, Gender.FEMALE)),
        ("male/sadness/a.jpg", (Emotion.SAD, None, Gender.MALE)),
        ("25_1_3_2017.jpg.chip.jpg", (None, 25, Gender.FEMALE)),
        ("fear/7_0.jpg", (Emotion.FEAR, 7, Gender.MALE)),
        ("women/25_0_3.jpg", (None, 25, Gender.FEMALE)),
    ],
)
def test_labels_of_folders_and_names(name: str, labels: Labels) -> None:
    assert read(name) == ({name: labels}, {})


def test_left_out_without_a_table() -> None:
    labels, rejected = read("happy/a.jpg", "weird/b.jpg", "c.jpg", "m/d.jpg", "200_1_0.jpg")
    assert list(labels) == ["happy/a.jpg"]
    assert rejected == {
        "weird/b.jpg": "unknown class folder: weird",
        "c.jpg": "no label in its folder or name",
        "m/d.jpg": "unknown class folder: m",
        "200_1_0.jpg": "no label in its folder or name",
    }


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_table(delimiter: str) -> None:
    lines = [
        "File, Emotion ,age,gender",
        "happy/a.jpg,sadness,31,F",
        "b.jpg,,,male",
        "c.jpg,bored,,",
        "d.jpg,,,",
        "e.jpg,,200,",
        "absent.jpg,happy,,",
        "b.jpg,happy,,",
    ]
    names = ("x/happy/a.jpg", *(f"x/{name}.jpg" for name in "bcdef"))
    labels, rejected = read(*names, **{"x/labels": "\r\n".join(lines).replace(",", delimiter)})
    assert labels == {
        "x/happy/a.jpg": (Emotion.SAD, 31, Gender.FEMALE),
        "x/b.jpg": (None, None, Gender.MALE),
    }
    assert rejected == {
        "x/c.jpg": "unknown emotion: bored",
        "x/d.jpg": "row without a label",
        "x/e.jpg": "unknown age: 200",
        "absent.jpg": "in the table, but not among the images",
        "x/b.jpg": "second row about the same image",
        "x/f.jpg": "not in the table",
    }


def test_other_tables_do_not_count() -> None:
    labels, rejected = read("happy/a.jpg", "b.jpg", faces="file,score\na.jpg,1", names="name,emotion\nb.jpg,sad")
    assert labels == {"happy/a.jpg": (Emotion.HAPPY, None, None)}
    reason = "table without the columns file and emotion, age or gender"
    assert rejected == {"b.jpg": "no label in its folder or name", "faces.csv": reason, "names.csv": reason}
    tables = {"1": "file,age\nb.jpg,30", "2": "file,emotion\nb.jpg,sad"}
    assert read("b.jpg", **tables) == ({"b.jpg": (None, 30, None)}, {"2.csv": "second table"})


def test_nothing_labelled(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"found \(unknown class folder: weird\): expected folders"):
        read("weird/a.jpg")
    with pytest.raises(DatasetError, match=r"no labelled image found \(no images\)"):
        read_own_images(*list_folder_files(tmp_path))
    with pytest.raises(DatasetError, match="is not a folder"):
        list_folder_files(tmp_path / "absent")


def test_files_of_a_folder(tmp_path: Path) -> None:
    names = ("happy/a.jpg", "labels.csv", "a/b/c/d/sad/e.jpg")
    for name in (*names, "happy/notes.txt", ".hidden/b.jpg", "happy/._a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "a/again").symlink_to(tmp_path / "a")
    files, others = list_folder_files(tmp_path)
    assert {file.name: file.getvalue() for file in files} == {name: name.encode() for name in names}
    assert others == (Rejected("happy/notes.txt", "without an image's extension"),)
    assert others[0] in read_own_images(files, others).rejected


def test_mutated_tables_are_read_or_rejected_with_a_reason() -> None:
    rng = np.random.default_rng(0)
    names = ("a.jpg", "b/c.png", "d.jpg")
    table = b'file,emotion,age,gender\r\na.jpg,happy,31,female\r\n"b/c.png",sad,,m\r\nd.jpg,,7,\r\n'
    read_tables = 0
    for _ in range(200):
        files = [*(MemoryFile(name, b"") for name in names), MemoryFile("labels.csv", mutate(table, rng))]
        with suppress(DatasetError):
            read_tables += bool(read_own_images(files).images)
    assert 0 < read_tables < 200
