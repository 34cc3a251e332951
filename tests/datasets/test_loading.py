from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.datasets.loading import DATA_DIR, data_dir, has_data, read_split
from core.errors import ConfigError, DatasetError
from tests.fakes.evaluation import write_fer2013_csv

NAMES = ("1_0_2_20170109150557335.jpg.chip.jpg", "36_1_0_20170109150557336.jpg.chip.jpg")
NO_IDS = np.array([], np.str_)


@pytest.fixture
def utkface(tmp_path: Path) -> Path:
    (tmp_path / "UTKFace").mkdir()
    for value, name in enumerate(NAMES):
        cv2.imwrite(str(tmp_path / "UTKFace" / name), np.full((200, 200, 3), 100 + value, np.uint8))
    return tmp_path


def test_fer2013_gives_the_official_split(tmp_path: Path) -> None:
    folder = write_fer2013_csv(tmp_path, private=60)
    everything = read_split(folder, "emotion", "private", np.array(["not there"]), 48).samples
    assert len(everything) == 60
    assert set(everything.labels["usage"]) == {"PrivateTest"}
    five = read_split(folder, "emotion_five", "five_private", NO_IDS, 48).samples
    assert five.ids.tolist() == everything.ids[~np.isin(everything.labels["emotion"], [1, 2])].tolist()
    assert 0 < len(five) < 60


def test_splits_of_fer2013_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    folder = write_fer2013_csv(tmp_path, private=0)
    with pytest.raises(ConfigError, match="public, private, got 'test'"):
        read_split(folder, "emotion", "test", NO_IDS, 48)
    with pytest.raises(DatasetError, match="PrivateTest"):
        read_split(folder, "emotion", "private", NO_IDS, 48)


def test_utkface_gives_the_named_images_in_their_order(utkface: Path) -> None:
    ids = np.array([NAMES[1], "5_0_0_1.jpg.chip.jpg", NAMES[0], NAMES[1]])
    dataset = read_split(utkface, "age_gender", "test", ids, 64)
    samples = dataset.samples
    assert samples.ids.tolist() == [NAMES[1], NAMES[0]]
    assert samples.images.shape == (2, 64, 64, 3)
    assert [(r.where, r.reason) for r in dataset.rejected] == [
        ("5_0_0_1.jpg.chip.jpg", "not in this copy of the data set")
    ]
    assert [samples.labels[name].tolist() for name in ("age", "gender", "race")] == [[36, 1], [1, 0], [0, 2]]


@pytest.mark.parametrize(
    "name",
    ["../secret.jpg", "/etc/passwd", "x", "5_0_0_1.jpg.chip.jpg"],
    ids=["up", "root", "name", "missing"],
)
def test_no_image_found_is_an_error(utkface: Path, name: str) -> None:
    with pytest.raises(DatasetError, match=r"no usable image .*1 files or rows: 1 not in this copy"):
        read_split(utkface, "age_gender", "test", np.array([name]), 64)


def test_presence_is_told_by_task(utkface: Path) -> None:
    assert has_data(utkface, "age_gender")
    assert not has_data(utkface, "emotion")
    assert has_data(write_fer2013_csv(utkface), "emotion_five")
    assert not has_data(utkface / "nothing", "age_gender")


def test_the_folder_or_the_file_itself_will_do(utkface: Path) -> None:
    """As for the readers that training uses."""
    folder = utkface / "UTKFace"
    assert has_data(folder, "age_gender")
    assert len(read_split(folder, "age_gender", "test", np.array(NAMES), 64).samples) == 2
    file = write_fer2013_csv(utkface) / "fer2013.csv"
    assert has_data(file, "emotion")
    assert len(read_split(file, "emotion", "private", NO_IDS, 48).samples) == 12


def test_the_data_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FACET_DATA", str(tmp_path))
    assert data_dir() == tmp_path
    monkeypatch.delenv("FACET_DATA")
    assert data_dir() == DATA_DIR
