"""Run Facet's detector and a served network over the photo splits of its task, see ``models.evaluate``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.analyzer import FaceAnalyzer
from core.artifacts.model_card import ModelCard
from core.attributes.alignment import align_views, make_views
from core.attributes.estimator import LiteRTEstimator
from core.attributes.postprocessing import average_views
from core.attributes.quality import installed_settings
from core.datasets.fairface import list_fairface, read_fairface_image
from core.datasets.photographs import list_photographs
from core.datasets.samples import hash_position
from core.detection import DEFAULT_DETECTOR, FaceDetector, create_detector
from core.errors import DatasetError
from core.evaluation.photographs import evaluate_photographs
from core.evaluation.predictions import Predictions
from core.settings import DetectorSettings, ViewSettings
from core.tasks import TASKS
from models.cli import report_rejected
from models.faces.sources import hold_out

_OLDEST = 89
"""Last year of the bracket of the oldest, as in ``core.evaluation.metrics``."""
Progress = Callable[[str], Callable[[float], None]]
"""Name of a split -> what is called with the share done, up to 1."""


def photo_analyzer(estimator: LiteRTEstimator, views: int, detector: FaceDetector | None = None) -> FaceAnalyzer:
    """Make an analyzer of photographs with Facet's detector and one network for all that it predicts."""
    networks = dict.fromkeys(estimator.card.attributes, estimator)
    detector = detector or create_detector(DEFAULT_DETECTOR, DetectorSettings())
    return FaceAnalyzer(detector, networks, installed_settings(), any_orientation=True, views=ViewSettings(views))


def predict_held_out(
    estimator: LiteRTEstimator, data_dir: Path, progress: Callable[[float], None], views: int
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.int64]]]:
    """Predict the FairFace training images that were held out from training: raw outputs and labels, for calibration.

    An age is drawn from each bracket, always the same one, so a bracket counts by its share inside an interval.
    Raises ``DatasetError`` where ``data_dir`` lacks them.
    """
    listed, rejected = list_fairface(data_dir)
    report_rejected(rejected)
    images = [image for image in listed if image.split == "train" and hold_out("fairface", image.id) == "validation"]
    if not images:
        raise DatasetError(f"no training images of FairFace in {data_dir}")
    detector, card = create_detector(DEFAULT_DETECTOR, DetectorSettings()), estimator.card
    crops, labels = [], []
    for done, image in enumerate(images, start=1):
        frame = read_fairface_image(image.file)
        faces = [] if isinstance(frame, str) else detector.detect(frame)
        if not isinstance(frame, str) and faces:
            face = max(faces, key=lambda face: face.box.width * face.box.height)
            aligned = align_views(frame, [face], card.crop, card.input_size, card.channels, make_views(views))
            crops.append(aligned.crops)
            years = min(image.age_high, _OLDEST) - image.age_low + 1
            labels.append((image.age_low + int(hash_position(f"age of {image.id}") * years), image.gender))
        progress(done / len(images))
    outputs = average_views(estimator.predict(np.concatenate(crops)), views)
    ages, genders = np.array(labels, np.int64).T
    return outputs, {"age": ages, "gender": genders}


def predict_photographs(
    folder: Path, split: str, data_dir: Path, progress: Progress, *, views: int = 1, limit: int | None = None
) -> Predictions:
    """Predict the photographs of a photo split, or the first ``limit`` of them; says which are missing.

    Raises ``DatasetError`` where ``data_dir`` lacks them.
    """
    estimator = LiteRTEstimator(folder)
    photographs, not_listed = list_photographs(split, data_dir)
    analyzer = photo_analyzer(estimator, views)
    predictions, rejected = evaluate_photographs(photographs[:limit], analyzer, estimator.card.task, progress(split))
    report_rejected([*not_listed, *rejected])
    return predictions


def predict_photo_splits(
    folder: Path, card: ModelCard, data_dir: Path, progress: Progress, views: int
) -> dict[str, Predictions]:
    """Predict all photo splits that ``data_dir`` has, with several ``views`` only the first; says which it lacks."""
    predictions = {}
    for split in TASKS[card.task].photo_splits[: None if views == 1 else 1]:
        try:
            predictions[split.name] = predict_photographs(folder, split.name, data_dir, progress, views=views)
        except DatasetError as error:
            print(f"warning: {split.title} is left out: {error}", file=sys.stderr)
    return predictions
