from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.datasets.splits import assign_utkface_split
from core.detection import create_detector
from core.errors import DatasetError
from core.settings import DetectorSettings
from core.types import Box, Detection, Landmarks
from models.measuring.detector_sets import (
    WITHOUT_PEOPLE,
    TestSets,
    cut_face,
    package_file,
    three_face_scene,
)


class MiddleFace:
    """Finds a face of half the frame's size in its middle, with the given score."""

    def __init__(self, score: float = 0.9) -> None:
        self.score = score

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        height, width = frame.shape[:2]
        points = ((0.4, 0.4), (0.6, 0.4), (0.5, 0.5), (0.4, 0.6), (0.6, 0.6))
        landmarks = Landmarks(*((x * width, y * height) for x, y in points))
        return (Detection(Box(width / 4, height / 4, width * 3 / 4, height * 3 / 4), self.score, landmarks),)


def _write(folder: Path, names: Sequence[str], size: int = 40) -> None:
    for row, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(row).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(file), cv2.resize(noise, (size, size), interpolation=cv2.INTER_NEAREST))


def _table(file: Path, header: str, rows: Sequence[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows(line.split(",") for line in [header, *rows])


def test_groups_are_every_fifth_image_with_its_boxes(tmp_path: Path) -> None:
    names = [f"group_{row:04d}.webp" for row in range(11)]
    _write(tmp_path / "groups" / "images", names)
    _table(
        tmp_path / "groups" / "boxes.csv",
        "file,x1,y1,x2,y2,mask",
        [f"{names[0]},1,2,30.1,40,with_mask", f"{names[1]},1,2,3,4,without", f"{names[0]},5,6,7,8,without"],
    )
    photos = list(TestSets(tmp_path, None).groups())
    assert [photo.id for photo in photos] == [names[0], names[5], names[10]]
    assert photos[0].annotations.boxes == pytest.approx(np.array([[1, 2, 30.1, 40], [5, 6, 7, 8]]), abs=1e-5)
    assert [len(photo.annotations.boxes) for photo in photos] == [2, 0, 0]
    assert len(list(TestSets(tmp_path, None, limit=2).groups())) == 2


def test_portraits_are_the_test_rows_with_a_reference_face(tmp_path: Path) -> None:
    names = [f"val/{row}.jpg" for row in range(4)]
    _write(tmp_path / "fairface", names)
    rows = [f"{name},test,20,29,female,Black" for name in names[:3]] + [f"{names[3]},train,20,29,male,White"]
    _table(tmp_path / "fairface" / "labels.csv", "file,split,age_low,age_high,gender,race", rows)
    photos = list(TestSets(tmp_path, MiddleFace()).portraits(10))
    assert {photo.id for photo in photos} == set(names[:3])
    assert photos[0].annotations.pseudo_labels.xyxy.tolist() == [[10, 10, 30, 30]]
    assert len(list(TestSets(tmp_path, None).portraits(2))) == 2
    for reference in (None, MiddleFace(score=0.5)):
        assert not any(len(photo.annotations.pseudo_labels) for photo in TestSets(tmp_path, reference).portraits(10))
    (shifted, *_) = TestSets(tmp_path, None).shifted()
    assert shifted.image.shape == (60, 60, 3)
    assert shifted.annotations.resolution_wh == (60, 60)


def test_close_ups_are_cut_from_chips_of_the_test_split(tmp_path: Path) -> None:
    names = [f"{20 + row}_0_0_2017010915000000{row}.jpg.chip.jpg" for row in range(40)]
    _write(tmp_path / "UTKFace", names, size=200)
    photos = list(TestSets(tmp_path, MiddleFace()).close_ups())
    assert {photo.id for photo in photos} == {name for name in names if assign_utkface_split(name) == "test"}
    assert photos[0].image.shape == (110, 110, 3)
    with pytest.raises(DatasetError, match="YuNet"):
        TestSets(tmp_path, None).close_ups()


def test_landmarks_are_all_age_faces_validation_rows(tmp_path: Path) -> None:
    _write(tmp_path / "aaf", ["a.jpg", "b.jpg"])
    points = ["left_eye", "right_eye", "nose", "mouth_left", "mouth_right"]
    header = f"file,split,age,gender,{','.join(f'{point}_{axis}' for point in points for axis in 'xy')}"
    values = ",".join(str(value) for value in range(10))
    _table(tmp_path / "aaf" / "labels.csv", header, [f"a.jpg,val,2,female,{values}", f"b.jpg,train,2,male,{values}"])
    (photo,) = TestSets(tmp_path, None).landmarks()
    assert photo.annotations.pseudo_labels.landmarks.ravel().tolist() == list(range(10))
    assert photo.annotations.pseudo_labels.xyxy.tolist() == [[0, 1, 8, 9]]


def test_images_without_a_person_are_there() -> None:
    photos = list(TestSets(Path("nowhere"), None).nobody())
    assert len(photos) == sum(map(len, WITHOUT_PEOPLE.values())) == 23


def test_absent_sets_say_so() -> None:
    sets = TestSets(Path("nowhere"), MiddleFace())
    for name, read in sets.readers.items():
        if name != "nobody":
            with pytest.raises(DatasetError, match="nowhere"):
                list(read())
    with pytest.raises(DatasetError, match="pip install"):
        package_file("no_such_package/image.png")


def test_a_face_is_cut_with_a_margin_within_the_image() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    assert cut_face(image, np.array([20.0, 30, 60, 90])).shape == (66, 44, 3)
    assert cut_face(image, np.array([-10.0, 0, 100, 110])).shape == (100, 100, 3)


@pytest.mark.parametrize("detector", ["facet", "haar"])
def test_the_scene_has_three_faces(detector: str) -> None:
    scene = three_face_scene()
    assert scene.shape == (480, 640, 3)
    assert len(create_detector(detector, DetectorSettings()).detect(scene)) == 3
