from dataclasses import replace

import cv2
import numpy as np
import pytest

from core.datasets.faces import FACES_SPLITS, FacePhoto, assign_faces_split, drop_near_duplicates, load_faces
from core.errors import DatasetError

TABLES = {
    "landmarks": "file,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,mouth_x,mouth_y\n",
    "mask_boxes": "file,x,y,w,h,label\n",
    "boxes": (
        "file,x,y,w,h,right_eye_x,right_eye_y,left_eye_x,left_eye_y,nose_x,nose_y,"
        "mouth_right_x,mouth_right_y,mouth_left_x,mouth_left_y,score\n"
    ),
}


@pytest.fixture
def folder(tmp_path):
    faces = tmp_path / "faces"
    (faces / "images").mkdir(parents=True)
    for number in range(12):
        image = np.full((40, 60, 3), number, np.uint8)
        cv2.imwrite(str(faces / "images" / f"web_{number}.jpg"), image)
    for name, header in TABLES.items():
        (faces / f"{name}.csv").write_text(header)
    return faces


def append(folder, name, row):
    with (folder / f"{name}.csv").open("a") as stream:
        stream.write(row + "\n")


def photos(folder, **keywords):
    return {photo.id: photo for split in load_faces(folder.parent, **keywords).splits.values() for photo in split}


def test_photographs_have_their_annotations(folder):
    append(folder, "landmarks", "web_3.jpg,1,2,3,4,5,6,7,8")
    append(folder, "mask_boxes", "web_3.jpg,10,20,5,6,with_mask")
    append(folder, "boxes", "web_3.jpg,1,2,10,20,2,5,8,5,5,8,3,12,7,12,0.9")
    photo = photos(folder)["web_3.jpg"]
    assert photo.image.shape == (40, 60, 3)
    annotations = photo.annotations
    assert annotations.resolution_wh == (60, 40)
    assert annotations.landmarks.tolist() == [[[1, 2], [3, 4], [5, 6], [7, 8]]]
    assert annotations.boxes.tolist() == [[10, 20, 15, 26]]
    assert annotations.pseudo_labels.xyxy.tolist() == [[1, 2, 11, 22]]
    assert annotations.pseudo_labels.landmarks.tolist() == [[[2, 5], [8, 5], [5, 8], [3, 12], [7, 12]]]
    assert annotations.pseudo_labels.scores == pytest.approx([0.9])
    nothing = photos(folder)["web_0.jpg"].annotations
    assert (nothing.landmarks.shape, nothing.boxes.shape, len(nothing.pseudo_labels)) == ((0, 4, 2), (0, 4), 0)


def test_splits_depend_on_the_name_only(folder):
    data = load_faces(folder.parent)
    for split in FACES_SPLITS:
        assert all(assign_faces_split(photo.id) == split for photo in data.splits[split])
    assert data.metadata()["samples"] == {split: len(data.splits[split]) for split in FACES_SPLITS}
    shares = np.mean(
        [[assign_faces_split(f"{number}.jpg") == split for split in FACES_SPLITS] for number in range(4000)], axis=0
    )
    assert shares == pytest.approx([0.85, 0.05, 0.10], abs=0.02)


def test_one_split_alone(folder):
    alone = load_faces(folder.parent, only="train")
    assert {photo.id for photo in alone.splits["train"]} == {
        p for p in photos(folder) if assign_faces_split(p) == "train"
    }
    assert not alone.splits["test"]


def test_rejections_have_a_reason(folder):
    (folder / "images" / "web_5.jpg").write_bytes(b"no image")
    append(folder, "landmarks", "web_6.jpg,1,2,x,4,5,6,7,8")
    append(folder, "mask_boxes", "web_lost.jpg,1,2,3,4")
    rejected = {entry.where: entry.reason for entry in load_faces(folder.parent).rejected}
    assert rejected["web_5.jpg"] == "unreadable image"
    assert rejected["web_6.jpg"].startswith("malformed annotations")
    assert rejected["web_lost.jpg"] == "annotated, but not in images/"


@pytest.mark.parametrize("missing", ["boxes.csv", "images"])
def test_no_samples_say_what_was_expected(folder, missing):
    if missing == "images":
        for file in (folder / "images").iterdir():
            file.unlink()
    else:
        (folder / missing).unlink()
    with pytest.raises(DatasetError, match="expected DIR/faces/"):
        load_faces(folder.parent)


@pytest.mark.parametrize(("table", "column"), [("landmarks", "nose_x"), ("boxes", "score"), ("mask_boxes", "file")])
def test_a_table_says_which_column_it_lacks(folder, table, column):
    file = folder / f"{table}.csv"
    file.write_text(file.read_text().replace(column, "other", 1))
    with pytest.raises(DatasetError, match=rf"{table}\.csv lacks the columns {column}"):
        load_faces(folder.parent)


def test_photographs_that_show_the_same_picture_are_left_out(folder):
    rng = np.random.default_rng(0)
    first, second, third = (cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (60, 40)) for _ in range(3))
    smaller = cv2.resize(second, (48, 32), interpolation=cv2.INTER_AREA)
    annotations = next(iter(photos(folder).values())).annotations
    mine = [FacePhoto(image, replace(annotations, id=str(n))) for n, image in enumerate((first, second, first))]
    others = [FacePhoto(image, annotations) for image in (smaller, third)]
    assert [photo.id for photo in drop_near_duplicates(mine, others)] == ["0", "2"]
    assert drop_near_duplicates([], others) == ()
