"""Training batches: one affine warp per image by OpenCV in worker threads, seeded by (seed, epoch, batch).

Keras' random layers, applied one by one, cost more than the networks trained here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.datasets.samples import Samples
from models.corruptions import SEVERITIES, TRAINING_CORRUPTIONS, corrupt
from models.training import augment
from models.training.augment import Image
from models.training.mixup import mix_pairs
from models.training.sampling import systematic_resample

Targets = Callable[[Samples], dict[str, NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of the random changes; a draw is uniform within plus or minus the range."""

    rotation_deg: float = 20.0
    scale: float = 0.15
    shift: float = 0.18
    """Fraction of the crop's side."""
    brightness: float = 40.0
    """Added grey levels."""
    contrast: float = 0.4
    gamma: float = 0.0
    """Exponent exp(u), u within plus or minus this."""
    erase_probability: float = 0.5
    erase_area: tuple[float, float] = (0.02, 0.20)
    damage_probability: float = 0.0
    """Of one of ``models.corruptions.TRAINING_CORRUPTIONS``, at any severity."""
    flip: bool = True


def augment_crop(image: Image, size: int, settings: Augmentation, rng: np.random.Generator) -> Image:
    """Apply flip, rotation, scale and shift as one warp, then light, erasing and a corruption, each at random.

    (H, W, C) uint8 -> (size, size, C) uint8.
    """
    out = _warp(image, size, settings, rng)
    out = _change_light(out, settings, rng)
    if rng.random() < settings.erase_probability:
        out = _erase(out, settings, rng)
    if rng.random() < settings.damage_probability:
        out = corrupt(out, str(rng.choice(TRAINING_CORRUPTIONS)), int(rng.choice(SEVERITIES)), rng)
    return out if out.ndim == 3 else out[..., None]


def _warp(image: Image, size: int, settings: Augmentation, rng: np.random.Generator) -> Image:
    height, width = image.shape[:2]
    angle = rng.uniform(-settings.rotation_deg, settings.rotation_deg)
    zoom = (1 + rng.uniform(-settings.scale, settings.scale)) * size / max(height, width)
    mirrored = settings.flip and rng.random() < 0.5
    target = size / 2 + rng.uniform(-settings.shift, settings.shift, 2) * size
    matrix = augment.similarity_matrix(np.array([width, height]) / 2, target, zoom, angle, mirrored)
    return augment.warp(image, matrix, (size, size))


def _change_light(image: Image, settings: Augmentation, rng: np.random.Generator) -> Image:
    gain = 1 + rng.uniform(-settings.contrast, settings.contrast)
    offset = rng.uniform(-settings.brightness, settings.brightness)
    exponent = np.exp(rng.uniform(-settings.gamma, settings.gamma))
    levels = 255 * (np.arange(256) / 255) ** exponent
    return augment.round_to_uint8((levels - 128) * gain + 128 + offset)[image]


def _erase(image: Image, settings: Augmentation, rng: np.random.Generator) -> Image:
    side = image.shape[0]
    area = rng.uniform(*settings.erase_area) * side * side
    aspect = np.exp(rng.uniform(np.log(0.4), np.log(2.5)))
    height = int(np.clip(round(np.sqrt(area * aspect)), 1, side))
    width = int(np.clip(round(np.sqrt(area / aspect)), 1, side))
    top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
    return augment.fill_rectangle(image, (left, top, left + width, top + height), rng.integers(0, 256))


class ShuffledBatches(keras.utils.PyDataset):
    """Shuffles ``count`` samples into batches; the same seed gives the same batches in every run."""

    def __init__(
        self,
        count: int,
        batch_size: int,
        seed: int,
        first_epoch: int,
        workers: int,
        max_queue_size: int,
        weights: NDArray[Any] | None = None,
    ) -> None:
        """``weights`` (count,): relative frequency of each sample; each once per epoch if ``None``."""
        super().__init__(workers=workers, max_queue_size=max_queue_size)
        self._weights = weights
        self._count = count
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = first_epoch
        self._order = self._shuffled()

    def __len__(self) -> int:
        # The last, smaller batch is left out: its batch-norm statistics would be the noisiest of the epoch.
        return max(1, self._count // self._batch_size)

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._order = self._shuffled()

    def _shuffled(self) -> NDArray[np.int64]:
        rng = np.random.default_rng((self._seed, self._epoch))
        return (
            rng.permutation(self._count)
            if self._weights is None
            else systematic_resample(self._weights, self._count, rng)
        )

    def _batch(self, index: int) -> tuple[NDArray[np.int64], np.random.Generator]:
        """Rows of batch ``index`` of this epoch, and the generator of its random changes."""
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return rows, np.random.default_rng((self._seed, self._epoch, index))


class TrainingBatches(ShuffledBatches):
    """Shuffles and augments aligned faces.

    From epoch ``final_epoch`` (0 is the first) on, ``final_augmentation`` replaces ``augmentation``. ``mixup`` is the
    alpha of ``models.training.mixup``, 0 for none.
    """

    def __init__(
        self,
        samples: Samples,
        targets: Targets,
        image_size: int,
        batch_size: int,
        augmentation: Augmentation,
        seed: int,
        first_epoch: int = 0,
        final_augmentation: Augmentation | None = None,
        final_epoch: int = 0,
        workers: int = 2,
        weights: NDArray[Any] | None = None,
        mixup: float = 0.0,
    ) -> None:
        super().__init__(len(samples), batch_size, seed, first_epoch, workers, max_queue_size=16, weights=weights)
        self._mixup = mixup
        self._samples = samples
        self._targets = targets(samples)
        self._image_size = image_size
        self._augmentation = augmentation
        self._final_augmentation = final_augmentation
        self._final_epoch = final_epoch

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        rows, rng = self._batch(index)
        settings = self._augmentation
        if self._final_augmentation is not None and self._epoch >= self._final_epoch:
            settings = self._final_augmentation
        images = np.stack([augment_crop(self._samples.images[row], self._image_size, settings, rng) for row in rows])
        crops = images.astype(np.float32)
        targets = {name: values[rows] for name, values in self._targets.items()}
        return mix_pairs(crops, targets, self._mixup, rng) if self._mixup else (crops, targets)
