from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.datasets.loading import DATA_DIR, data_dir, has_data, read_split
from core.errors import ConfigError, DatasetError
from tests.fakes.evaluation import write_fer2013_csv

NAMES = ("1_0_2_20170109150557335.jpg.chip.jpg", "36_1_0_20170109150557336.jpg.chip.jpg")


@pytest.fixture
def utkface(tmp_path: Path) -> Path:
    (tmp_path / "UTKFace").mkdir()
    for value, name in enumerate(NAMES):
        cv2.imwrite(str(tmp_path / "UTKFace" / name), np.full((200, 200, 3), 100 + value, np.uint8))
    return tmp_path


def test_fer2013_gives_the_whole_official_side(tmp_path: Path) -> None:
    samples = read_split(write_fer2013_csv(tmp_path), "emotion", "private", np.array(["not there"]), 48)
    assert len(samples) == 12
    assert set(samples.labels["usage"]) == {"PrivateTest"}


def test_an_unknown_side_of_fer2013_says_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="public, private, got 'test'"):
        read_split(write_fer2013_csv(tmp_path), "emotion", "test", np.array([]), 48)


def test_a_side_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="PrivateTest"):
        read_split(write_fer2013_csv(tmp_path, private=0), "emotion", "private", np.array([]), 48)


def test_utkface_gives_the_named_images_in_their_order(utkface: Path) -> None:
    ids = np.array([NAMES[1], "5_0_0_1.jpg.chip.jpg", NAMES[0]])
    samples = read_split(utkface, "age_gender", "test", ids, 64)
    assert samples.ids.tolist() == [NAMES[1], NAMES[0]]
    assert samples.images.shape == (2, 64, 64, 3)
    assert samples.labels["age"].tolist() == [36, 1]
    assert samples.labels["gender"].tolist() == [1, 0]
    assert samples.labels["race"].tolist() == [0, 2]


@pytest.mark.parametrize(
    "name",
    ["../secret.jpg", "/etc/passwd", "x", "5_0_0_1.jpg.chip.jpg"],
    ids=["up", "root", "name", "missing"],
)
def test_no_image_found_is_an_error(utkface: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="none of the 1 UTKFace images"):
        read_split(utkface, "age_gender", "test", np.array([name]), 64)


def test_presence_is_told_by_task(utkface: Path) -> None:
    assert has_data(utkface, "age_gender")
    assert not has_data(utkface, "emotion")
    assert has_data(write_fer2013_csv(utkface), "emotion")
    assert not has_data(utkface / "nothing", "age_gender")


def test_the_folder_or_the_file_itself_will_do(utkface: Path) -> None:
    """As for the readers that training uses."""
    folder = utkface / "UTKFace"
    assert has_data(folder, "age_gender")
    assert len(read_split(folder, "age_gender", "test", np.array(NAMES), 64)) == 2
    file = write_fer2013_csv(utkface) / "fer2013.csv"
    assert has_data(file, "emotion")
    assert len(read_split(file, "emotion", "private", np.array([]), 48)) == 12


def test_the_data_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FACET_DATA", str(tmp_path))
    assert data_dir() == tmp_path
    monkeypatch.delenv("FACET_DATA")
    assert data_dir() == DATA_DIR
