"""Photographs -> labels -> cache, without a data set and with the real YuNet only where it is installed."""

import cv2
import numpy as np
import pytest

from core.detection import FaceArrays
from core.errors import DatasetError
from models.detection import photos
from models.detection.labels import FACE, IGNORED
from models.detection.photo_cache import PhotoCache
from models.detection.pseudo_labels import PseudoLabeler
from models.detection.sources import PhotoFile, shrink
from tests.models.detection.conftest import BOX, FIVE, SOURCES, made_up_photo


class StillNetwork:
    """A YuNet that finds one face at the same place of every view, mirrored with it or not."""

    def setInputSize(self, size):  # noqa: N802
        self.width = size[0]

    def detect(self, view):
        x, y, width, height = np.array([20, 25, 40, 50]) * self.width / 160
        points = FIVE * self.width / 160
        if view[0, 0, 0] == 0:
            x, points = self.width - x - width, (np.array([self.width, 0]) - points * [1, -1])[[1, 0, 2, 4, 3]]
        return 1, np.array([[x, y, width, height, *points.ravel(), 0.8]], np.float32)


@pytest.fixture
def labeler(monkeypatch, tmp_path):
    monkeypatch.setattr("models.detection.pseudo_labels.open_network", lambda content, min_score: StillNetwork())
    (tmp_path / "yunet.onnx").touch()
    photos._labeler.cache_clear()
    return PseudoLabeler(tmp_path / "yunet.onnx", (1.0, 0.5))


def picture():
    """Its left upper corner is bright, the right one dark, so that mirrored views can be told."""
    image = np.full((120, 160, 3), 255, np.uint8)
    image[:, 80:] = 0
    return image


def test_views_are_averaged_in_pixels_of_the_photograph(labeler):
    found = labeler.label(picture())
    assert found.xyxy == pytest.approx(BOX[None], abs=1e-4)
    assert found.landmarks == pytest.approx(FIVE[None], abs=1e-4)
    assert found.scores == pytest.approx([0.8])


@pytest.mark.parametrize(
    ("source", "annotations", "scores"),
    [
        ("fairface", {}, [FACE]),
        ("natural", {}, [IGNORED]),
        ("groups", {"boxes": np.array([[22.0, 25, 60, 75], [100, 20, 130, 60]])}, [FACE, FACE]),
        ("aaf", {"landmarks": FIVE + 1}, [FACE]),
        ("aaf", {"landmarks": FIVE + 80}, None),
    ],
    ids=["portrait", "without people", "annotated boxes", "exact landmarks", "exact landmarks elsewhere"],
)
def test_every_source_is_labelled_in_its_way(labeler, tmp_path, source, annotations, scores):
    cv2.imwrite(str(tmp_path / "photo.png"), picture())
    labelled = photos.label_photo(
        PhotoFile(tmp_path / "photo.png", source, "train", **annotations), tmp_path / "yunet.onnx"
    )
    assert (labelled and labelled[0].faces.scores.tolist()) == scores


def test_unreadable_file_is_left_out(labeler, tmp_path):
    assert photos.label_photo(PhotoFile(tmp_path / "no.jpg", "aaf", "train"), tmp_path / "yunet.onnx") is None


def test_the_cache_returns_what_was_packed(cache_dir):
    cache = PhotoCache(cache_dir)
    assert len(cache) == 2 * len(SOURCES)
    assert len(PhotoCache(cache_dir, ("validation",))) == 0
    portraits = PhotoCache(cache_dir, sources=("aaf",))
    labels, image = made_up_photo("aaf", 1)
    assert portraits.ids.tolist() == ["aaf_0", "aaf_1"]
    assert np.array_equal(portraits.image(1), image)
    assert portraits.faces(1).landmarks[0] == pytest.approx(labels.exact)
    # Pseudo-landmarks of the others follow the exact ones of the portraits.
    assert PhotoCache(cache_dir, sources=("groups",)).faces(0).landmarks[0] == pytest.approx(FIVE + np.array([0, 2]))
    with pytest.raises(DatasetError, match="detector-photos"):
        PhotoCache(cache_dir / "nowhere")


def test_near_duplicates_of_test_photographs_are_left_out(tmp_path):
    smooth = cv2.resize(np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8), (160, 120))
    faces = FaceArrays(BOX[None], np.array([FACE]), FIVE[None])
    twin = photos.PhotoLabels("twin", "groups", "train", faces), smooth
    packed = photos.pack_photos([twin, made_up_photo("groups", 1)], [shrink(smooth, 80)], tmp_path)
    assert [photo.id for photo in packed] == ["groups_1"]
    assert np.array_equal(PhotoCache(tmp_path).image(0), made_up_photo("groups", 1)[1])
