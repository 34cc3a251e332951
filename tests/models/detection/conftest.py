"""A tiny cache of training photographs: a bright square, which is a face except in ``natural``."""

import numpy as np
import pytest

from core.detection import FaceArrays
from models.detection.labels import FACE
from models.detection.photo_cache import PhotoLabels
from models.detection.photos import pack_photos

BOX = np.array([20.0, 25, 60, 75])
FIVE = np.array([[30.0, 40], [50, 40], [40, 50], [33, 60], [47, 60]])
SOURCES = ("faces", "groups", "fairface", "utkface", "aaf", "natural")


def made_up_photo(source, number, split="train"):
    image = np.random.default_rng(number).integers(0, 100, (120, 160, 3), dtype=np.uint8)
    image[25:75, 20:60] = 200
    count = 0 if source == "natural" else 1
    faces = FaceArrays(np.tile(BOX, (count, 1)), np.full(count, FACE), np.tile(FIVE, (count, 1, 1)))
    return PhotoLabels(
        f"{source}_{number}", source, split, faces, FIVE + np.array([0, 2]) if source == "aaf" else None
    ), image


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    pack_photos((made_up_photo(source, number) for source in SOURCES for number in range(2)), [], folder)
    return folder
