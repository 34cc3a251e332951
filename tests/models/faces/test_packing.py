import cv2
import numpy as np
import pytest

from core.errors import DatasetError
from core.types import Box, Detection, Landmarks
from models.faces.packing import (
    FACE_PX,
    MARGIN_PX,
    REFERENCE,
    SIDE,
    cut_face,
    find_landmarks,
    load_packed,
    pack,
)
from models.faces.sources import UNKNOWN, LabelledFace, list_faces

HEADING = "file,split,age,gender,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y"
HEADING += ",mouth_left_x,mouth_left_y,mouth_right_x,mouth_right_y"
PACKED_REFERENCE = REFERENCE * FACE_PX + MARGIN_PX


class FixedDetector:
    """Finds one face whose landmarks lie at ``points``, fractions of the frame."""

    def __init__(self, points=REFERENCE):
        self.points = points

    def detect(self, frame):
        height, width = frame.shape[:2]
        points = [(float(x * width), float(y * height)) for x, y in self.points]
        return (Detection(Box(0, 0, width, height), 0.9, Landmarks(*points)),)


class BlindDetector:
    def detect(self, frame):
        return ()


def noise(side, seed):
    small = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def data(tmp_path):
    """One UTKFace image for each of some names, FairFace and All-Age-Faces with a test row each, APPA-REAL."""
    root = tmp_path / "data"
    for number in range(12):
        write(root / f"UTKFace/{20 + number}_0_1_2017{number:04d}.jpg.chip.jpg", noise(200, number))
    fairface = ["file,split,age_low,age_high,gender,race", "train/1.jpg,train,3,9,female,Black"]
    (root / "fairface").mkdir()
    (root / "fairface/labels.csv").write_text("\n".join([*fairface, "val/1.jpg,test,70,,male,White"]))
    write(root / "fairface/train/1.jpg", noise(224, 101))
    write(root / "fairface/val/1.jpg", noise(224, 102))
    points = ",".join(f"{100 + 100 * value}" for value in REFERENCE.ravel())
    (root / "aaf").mkdir()
    (root / "aaf/labels.csv").write_text(f"{HEADING}\na.jpg,train,7,male,{points}\nb.jpg,val,9,male,{points}")
    write(root / "aaf/a.jpg", noise(300, 103))
    write(root / "aaf/b.jpg", noise(300, 104))
    (root / "appa_real").mkdir()
    (root / "appa_real/labels.csv").write_text("file,split,age\nval/1.jpg,val,33")
    write(root / "appa_real/val/1.jpg", noise(260, 105))
    return root


def write(file, image):
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), image, [cv2.IMWRITE_JPEG_QUALITY, 95])


def test_four_sources_are_listed(data):
    faces = {(face.source, face.name): face for face in list_faces(data)}
    assert len(faces) == 17
    child = faces["fairface", "train/1.jpg"]
    assert (child.age_low, child.age_high, child.gender, child.group) == (3, 9, 1, "Black")
    assert faces["fairface", "val/1.jpg"].split == "test"
    assert faces["aaf", "b.jpg"].split == "test"
    assert faces["appa_real", "val/1.jpg"].split in ("train", "validation")
    assert faces["appa_real", "val/1.jpg"].gender == UNKNOWN


def test_a_wrong_row_is_named(data):
    (data / "appa_real/labels.csv").write_text("file,split,age\nval/1.jpg,val,old")
    with pytest.raises(DatasetError, match=r"labels\.csv, line 2"):
        list_faces(data)


def test_packed_faces_leave_out_test_images(data, tmp_path):
    counts = pack(data, tmp_path / "packed", FixedDetector())
    faces = load_packed(tmp_path / "packed")
    assert counts["packed"] == len(faces) < counts["listed"] == 17
    assert set(faces.split) <= {"train", "validation"}
    assert not {"val/1.jpg", "b.jpg"} & set(faces.name[np.isin(faces.source, ["fairface", "aaf"])])


def test_copies_of_test_images_are_dropped(data, tmp_path):
    write(data / "fairface/train/1.jpg", noise(224, 102))
    assert pack(data, tmp_path / "packed", FixedDetector())["dropped"] == 1
    assert "fairface" not in load_packed(tmp_path / "packed").source


def test_photographs_are_aligned_by_their_landmarks(data, tmp_path):
    pack(data, tmp_path / "packed", FixedDetector())
    faces = load_packed(tmp_path / "packed")
    (row,) = np.nonzero(faces.source == "aaf")[0]
    np.testing.assert_allclose(faces.landmarks[row], PACKED_REFERENCE, atol=0.1)
    assert faces.images[row].shape == (SIDE, SIDE, 3)


def test_photographs_without_a_face_are_left_out(tmp_path):
    face = LabelledFace("appa_real", "a", tmp_path, "train", 3, 3)
    assert cut_face(noise(200, 1), face, BlindDetector()) is None


def test_landmarks_of_squares_are_found_afterwards(data, tmp_path):
    pack(data, tmp_path / "packed", FixedDetector())
    faces = load_packed(tmp_path / "packed")
    row = int(np.nonzero(faces.source == "utkface")[0][0])
    assert np.isnan(faces.landmarks[row]).all()
    # The searched square has a margin of 15 of 128 pixels around it.
    assert find_landmarks(tmp_path / "packed", FixedDetector((REFERENCE * 98 + 15) / 128)) == 1.0
    np.testing.assert_allclose(faces.landmarks[row], PACKED_REFERENCE, atol=0.1)


def test_another_face_beside_is_not_the_packed_one(data, tmp_path):
    pack(data, tmp_path / "packed", FixedDetector())
    find_landmarks(tmp_path / "packed", FixedDetector(REFERENCE * 0.4))
    faces = load_packed(tmp_path / "packed")
    assert np.isnan(faces.landmarks[int(np.nonzero(faces.source == "fairface")[0][0])]).all()


def test_nothing_packed_is_told(tmp_path):
    with pytest.raises(DatasetError, match="python -m models pack"):
        load_packed(tmp_path)
