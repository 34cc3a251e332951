"""Everything that can be learnt, by name: attributes of crops, ours and the classic ones, and finding faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from core.datasets.faces import FacePhotos, load_faces
from models.detection.batches import DetectionBatches, validation_crops
from models.detection.losses import geometry_loss, score_loss
from models.training.baseline_tasks import CLASSIC_TASKS
from models.training.config import TrainConfig
from models.training.crop_tasks import OWN_CROP_TASKS, Arrays, CropTask, Objective, Task

CROP_TASKS: dict[str, CropTask] = OWN_CROP_TASKS | CLASSIC_TASKS


def card_task(task: str) -> str:
    """What the card of a network says that learns ``task``."""
    return CROP_TASKS[task].card_task if task in CROP_TASKS else task


@dataclass(frozen=True)
class DetectionTask:
    """Faces and their points in photographs."""

    objective: Objective
    choose_on: str

    def load(self, data_dir: Path, config: TrainConfig) -> FacePhotos:
        return load_faces(data_dir)

    def batches(self, config: TrainConfig, data: FacePhotos, first_epoch: int) -> keras.utils.PyDataset:
        return DetectionBatches(
            data.splits["train"],
            config.image_size,
            config.batch_size,
            config.detection_augmentation,
            config.seed,
            first_epoch,
        )

    def validation(self, config: TrainConfig, data: FacePhotos) -> tuple[NDArray[np.float32], Arrays]:
        return validation_crops(data.splits[self.choose_on], config.image_size)


TASKS: dict[str, Task] = {
    **CROP_TASKS,
    "detection": DetectionTask(
        Objective(
            losses=lambda smoothing: {"score": score_loss, "geometry": geometry_loss},
            metrics=dict,
            monitor="val_loss",
            mode="min",
        ),
        choose_on="validation",
    ),
}
