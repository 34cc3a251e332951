import cv2
import numpy as np
import pytest

from core.datasets.utkface import parse_name, read_utkface
from core.errors import DatasetError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("26_1_2_20170116.jpg.chip.jpg", (26, 1, 2)),
        ("116_0_0_2017.jpg.chip.jpg", (116, 0, 0)),
        ("61_1_20170109.jpg.chip.jpg", None),
        ("26_2_2_2017.jpg.chip.jpg", None),
        ("26_1_5_2017.jpg.chip.jpg", None),
        ("160_1_0_2017.jpg.chip.jpg", None),
        ("-1_1_0_2017.jpg.chip.jpg", None),
        ("26_1_2_2017.png", None),
    ],
)
def test_labels_come_from_names_that_follow_the_pattern(name, expected):
    assert parse_name(name) == expected


def write(folder, name, size=200):
    folder.mkdir(exist_ok=True)
    cv2.imwrite(str(folder / name), np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8))


def test_images_are_resized_and_rejections_collected(tmp_path):
    folder = tmp_path / "UTKFace"
    write(folder, "26_1_2_1.jpg.chip.jpg")
    write(folder, "5_0_4_2.jpg.chip.jpg")
    write(folder, "39_1_20170116.jpg.chip.jpg")
    write(folder, "40_1_0_3.jpg.chip.jpg", size=100)
    (folder / "41_1_0_4.jpg.chip.jpg").write_bytes(b"")
    dataset = read_utkface(tmp_path, image_size=64)
    assert dataset.samples.images.shape == (2, 64, 64, 3)
    assert dataset.samples.labels["age"].tolist() == [26, 5]
    assert dataset.samples.labels["gender"].tolist() == [1, 0]
    assert dataset.samples.labels["race"].tolist() == [2, 4]
    assert sorted(rejected.reason for rejected in dataset.rejected) == [
        "name is not [age]_[gender]_[race]_[datetime]",
        "unreadable image",
        "wrong size",
    ]


@pytest.mark.parametrize("make", [False, True], ids=["no folder", "empty folder"])
def test_no_samples_say_what_was_expected(tmp_path, make):
    if make:
        (tmp_path / "UTKFace").mkdir()
    with pytest.raises(DatasetError, match="expected DIR/UTKFace"):
        read_utkface(tmp_path / "UTKFace" if make else tmp_path / "nowhere")
