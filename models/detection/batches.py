"""Training and validation batches of the face detector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import FacePhoto
from core.detection.base import FaceArrays
from models.detection.augmentation import DetectionAugmentation, degrade, mosaic, training_crop
from models.detection.labels import label_faces
from models.detection.targets import encode
from models.training.pipeline import ShuffledBatches

Batch = tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]
_MOSAIC_FACE_PX = (12.0, 96.0)


class DetectionBatches(ShuffledBatches):
    """Shuffled, augmented crops of photographs."""

    def __init__(
        self,
        photos: tuple[FacePhoto, ...],
        size_px: int,
        batch_size: int,
        augmentation: DetectionAugmentation,
        seed: int,
        first_epoch: int = 0,
        workers: int = 2,
    ) -> None:
        super().__init__(len(photos), batch_size, seed, first_epoch, workers, max_queue_size=8)
        self._photos = photos
        self._faces = [label_faces(photo.annotations) for photo in photos]
        self._size_px = size_px
        self._augmentation = augmentation

    def __getitem__(self, index: int) -> Batch:
        rows, rng = self._batch(index)
        return stack_crops([self._crop(int(row), rng) for row in rows], self._size_px)

    def _crop(self, row: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], FaceArrays]:
        settings = self._augmentation
        if rng.random() < settings.mosaic_probability:
            rows = [row, *rng.integers(0, len(self._photos), 3).tolist()]
            parts = [self._place(r, self._size_px // 2, rng, _MOSAIC_FACE_PX) for r in rows]
            image, faces = mosaic(parts)
        else:
            image, faces = self._place(row, self._size_px, rng, None)
        return degrade(image, settings, rng), faces

    def _place(
        self, row: int, size_px: int, rng: np.random.Generator, face_px: tuple[float, float] | None
    ) -> tuple[NDArray[np.uint8], FaceArrays]:
        return training_crop(self._photos[row].image, self._faces[row], size_px, self._augmentation, rng, face_px)


def validation_crops(photos: tuple[FacePhoto, ...], size_px: int) -> Batch:
    """Make two fixed crops per photograph, one as in training and one of the whole photograph."""
    rng = np.random.default_rng(0)
    settings = DetectionAugmentation()
    crops = []
    for photo in photos:
        faces = label_faces(photo.annotations)
        for whole in (0.0, 1.0):
            plain = DetectionAugmentation(whole_probability=whole, tilt_probability=0.2)
            image, inside = training_crop(photo.image, faces, size_px, plain, rng)
            crops.append((degrade(image, settings, rng), inside))
    return stack_crops(crops, size_px)


def stack_crops(crops: list[tuple[NDArray[np.uint8], FaceArrays]], size_px: int) -> Batch:
    """Stack crops to images (B, n, n, 3) and encode the targets of both outputs."""
    targets = [encode(faces, size_px) for _, faces in crops]
    images = np.stack([image for image, _ in crops]).astype(np.float32)
    return images, {
        "score": np.stack([score for score, _ in targets]),
        "geometry": np.stack([geometry for _, geometry in targets]),
    }
