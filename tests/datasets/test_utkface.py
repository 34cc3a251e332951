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
        ("26_1_2_2017.png", (26, 1, 2)),
        ("26_1_2_2017.JPG.chip.JPG", (26, 1, 2)),
        ("26_1_2_2017.jpg.chip.gif", None),
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
        "size is not 200x200: a resized copy",
        "unreadable image",
    ]


@pytest.mark.parametrize(
    "where",
    [
        "UTKFace/{}.jpg.chip.jpg",
        "utkface/{}.jpg",
        "utkface_aligned_cropped/UTKFace/{}.jpg.chip.jpg",
        "crop_part1/{}.jpg.chip.jpg",
        "UTKFace/UTKFace/{}.png",
        "archive/part2/{}.JPG.chip.JPG",
    ],
    ids=["original", "without chip", "Kaggle", "first part", "PNG", "capitals"],
)
def test_copies_have_the_ids_of_the_original(tmp_path, where):
    file = tmp_path / where.format("26_1_2_20170116174525125")
    file.parent.mkdir(parents=True)
    write(file.parent, file.name)
    dataset = read_utkface(tmp_path, 32)
    assert dataset.samples.ids.tolist() == ["26_1_2_20170116174525125.jpg.chip.jpg"]
    assert dataset.files["26_1_2_20170116174525125.jpg.chip.jpg"] == file
    assert dataset.rejected == ()


def test_what_is_not_aligned_and_cropped_is_refused_with_the_reason(tmp_path):
    for name, size in (("1_0_0_1.jpg", 320), ("1_0_0_2.jpg", 128), ("1_0_0_3.jpg.chip.jpg", 224)):
        write(tmp_path, name, size)
    with pytest.raises(DatasetError, match=r"3 files or rows: 2 size is not 200x200: a resized copy .*1 .*uncropped"):
        read_utkface(tmp_path)


def test_the_same_image_in_two_folders_counts_once(tmp_path):
    for folder in ("UTKFace", "crop_part1"):
        write(tmp_path / folder, "1_0_0_1.jpg.chip.jpg")
    dataset = read_utkface(tmp_path, 32)
    assert len(dataset.samples) == 1
    assert [(r.where, r.reason) for r in dataset.rejected] == [("crop_part1/1_0_0_1.jpg.chip.jpg", "name occurs twice")]


@pytest.mark.parametrize("make", [False, True], ids=["no folder", "empty folder"])
def test_no_samples_say_what_was_expected(tmp_path, make):
    if make:
        (tmp_path / "UTKFace").mkdir()
    with pytest.raises(DatasetError, match="expected DIR/UTKFace"):
        read_utkface(tmp_path / "UTKFace" if make else tmp_path / "nowhere")
