"""Usable and unusable faces for ``models.measuring.quality``: boxes, their crops and what the served networks answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from core.artifacts.model_card import PREDICTIONS_FILE, artifacts_dir
from core.attributes.alignment import align_faces, alignment_square
from core.attributes.estimator import Estimator
from core.attributes.postprocessing import postprocess_outputs
from core.attributes.quality import QualityMeasures, measure_quality
from core.datasets.faces import FacePhoto
from core.datasets.loading import read_split
from core.datasets.samples import Samples, subsample
from core.datasets.utkface import SOURCE_SIZE
from core.detection import FaceArrays, FaceDetector
from core.evaluation.detection.matching import match_image
from core.evaluation.predict import predict_images
from core.evaluation.predictions import load_predictions
from core.geometry import iou_matrix
from core.tasks import TASKS
from core.types import EMOTIONS, GENDERS, Box, Detection, Landmarks
from models.corruptions import corrupt
from models.measuring.alignment import Scene, scenes_of

CLASSES = {"emotion": len(EMOTIONS), "gender": len(GENDERS)}
BLURS = tuple((name, severity) for name in ("small", "defocus", "motion") for severity in (1, 3, 5))
_TRIES = 20
_SMALLEST_PX, _LARGEST_SHARE = 24, 0.5
"""Sides of random boxes: from those pixels to that share of the photograph's shorter side."""


@dataclass(frozen=True)
class Boxes:
    """N boxes of one condition with what a network makes of them: ``crops`` (N, h, w, c), ``sides_px`` (N,), calibrated
    ``answers`` (N, K) by name, and ``truth`` (N,) by name, empty where there is none. ``searched`` images were looked
    at."""

    faces: tuple[Detection, ...]
    crops: NDArray[np.uint8]
    sides_px: NDArray[np.float64]
    answers: dict[str, NDArray[np.float64]]
    truth: dict[str, NDArray[np.int64]]
    searched: int

    def points(self) -> NDArray[np.float64]:
        """(M, 5, 2) of the faces that have landmarks."""
        return np.array([face.landmarks.points for face in self.faces if face.landmarks]).reshape(-1, 5, 2)

    def signs(self, plain: ArrayLike) -> QualityMeasures:
        """``plain``: (5, 2) points of a plain face."""
        return measure_quality(self.faces, self.crops, self.sides_px, plain)


@dataclass(frozen=True)
class Photographed:
    """Boxes of the detector's validation photographs. ``scores`` and ``is_face`` (D,) of all that it found; the others
    hold no face, one ``Boxes`` a network: what it took for one, and random boxes that are given a full score, as if
    it had found them."""

    scores: NDArray[np.float64]
    is_face: NDArray[np.bool_]
    false: list[Boxes]
    random: list[Boxes]


def few_samples(data_dir: Path, task: str, count: int) -> Samples:
    """At most ``count`` images, always the same ones, of the side that training chose on."""
    split = TASKS[task].validation_split.name
    ids = load_predictions(artifacts_dir() / task / PREDICTIONS_FILE)[split].ids
    if task == "age_gender":
        return read_split(data_dir, task, split, ids[subsample(ids, count)], SOURCE_SIZE)
    samples = read_split(data_dir, task, split, ids, 0)
    return samples.take(subsample(samples, count))


def clean_boxes(samples: Samples, estimator: Estimator, detector: FaceDetector) -> tuple[list[Scene], Boxes]:
    """Scenes in which a face was found, and their boxes."""
    scenes = scenes_of(samples, detector)
    rows = [row for row, scene in enumerate(scenes) if scene.face is not None]
    truth = _truth(samples, estimator)[rows]
    found = [scenes[row] for row in rows]
    frames = [(scene.frame, scene.face) for scene in found if scene.face is not None]
    return found, _boxes(frames, estimator, truth, len(samples))


def damaged_boxes(samples: Samples, name: str, severity: int, estimator: Estimator, detector: FaceDetector) -> Boxes:
    """As ``clean_boxes`` after a corruption of ``models.corruptions``."""
    rng = np.random.default_rng(severity)
    images = np.stack([corrupt(image, name, severity, rng) for image in samples.images])
    return clean_boxes(replace(samples, images=images), estimator, detector)[1]


def tiny_boxes(scenes: Sequence[Scene], truth: NDArray[np.int64], side_px: float, estimator: Estimator) -> Boxes:
    """The same faces in pictures so small that their crops are cut from ``side_px`` pixels; ``truth`` (N,)."""
    frames = [shrunk(scene.frame, scene.face, side_px, estimator) for scene in scenes if scene.face is not None]
    return _boxes(frames, estimator, truth, len(scenes))


def shrunk(
    frame: NDArray[np.uint8], face: Detection, side_px: float, estimator: Estimator
) -> tuple[NDArray[np.uint8], Detection]:
    """Picture and face, scaled down by area until the square of the face's crop has about ``side_px`` pixels."""
    factor = side_px / alignment_square(face, estimator.card.crop)[1]
    height, width = (max(1, round(length * factor)) for length in frame.shape[:2])
    small = np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    x, y = width / frame.shape[1], height / frame.shape[0]
    box = Box(face.box.x1 * x, face.box.y1 * y, face.box.x2 * x, face.box.y2 * y)
    five = None if face.landmarks is None else Landmarks(*((px * x, py * y) for px, py in face.landmarks.points))
    return small, Detection(box, face.score, five)


def photographed(photos: Sequence[FacePhoto], estimators: Sequence[Estimator], detector: FaceDetector) -> Photographed:
    """Everything that ``detector`` finds on the photographs, and one random box on each that has room for it."""
    rng = np.random.default_rng(0)
    scores: list[float] = []
    is_face: list[bool] = []
    false: list[tuple[NDArray[np.uint8], Detection]] = []
    empty: list[tuple[NDArray[np.uint8], Detection]] = []
    for photo in tqdm(photos, desc="photographs", leave=False):
        found = detector.detect(photo.image)
        matched = match_image(FaceArrays.from_detections(found), photo.annotations)
        for face, is_false, is_double in zip(found, matched.false_positives, matched.duplicates, strict=True):
            # A second box on one face is neither a face nor none.
            if not is_double:
                scores.append(face.score)
                is_face.append(not is_false)
            if is_false:
                false.append((photo.image, face))
        box = random_box(photo, rng)
        if box is not None:
            empty.append((photo.image, Detection(box, 1.0)))
    parts = [[_boxes(frames, one, None, len(photos)) for one in estimators] for frames in (false, empty)]
    return Photographed(np.array(scores), np.array(is_face, bool), *parts)


def random_box(photo: FacePhoto, rng: np.random.Generator) -> Box | None:
    """A square of the photograph that overlaps nothing that is marked on it; ``None`` if none was found."""
    height, width = photo.image.shape[:2]
    annotations = photo.annotations
    marked = np.concatenate([annotations.boxes, annotations.pseudo_labels.xyxy, _around(annotations.landmarks)])
    for _ in range(_TRIES):
        split = rng.uniform(_SMALLEST_PX, max(_SMALLEST_PX + 1, _LARGEST_SHARE * min(width, height)))
        x, y = rng.uniform(0, max(1, width - split)), rng.uniform(0, max(1, height - split))
        box = Box(x, y, x + split, y + split)
        if not iou_matrix([box.xyxy], marked).any():
            return box
    return None


def _around(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 4, 2) marked points -> (N, 4) squares of four eye distances, which hold the head."""
    middle = points.mean(axis=1)
    reach = 2 * np.linalg.norm(points[:, 0] - points[:, 1], axis=1, keepdims=True)
    return np.concatenate([middle - reach, middle + reach], axis=1)


def _truth(samples: Samples, estimator: Estimator) -> NDArray[np.int64]:
    return np.asarray(samples.labels["emotion" if estimator.card.task == "emotion" else "gender"], np.int64)


def _boxes(
    frames: Sequence[tuple[NDArray[np.uint8], Detection]],
    estimator: Estimator,
    truth: NDArray[np.int64] | None,
    searched: int,
) -> Boxes:
    card = estimator.card
    shape = (0, card.input_size, card.input_size, card.channels)
    aligned = [align_faces(frame, [face], card.crop, card.input_size, card.channels) for frame, face in frames]
    together = np.concatenate([np.empty(shape, np.uint8), *(one.crops for one in aligned)])
    name = "emotion" if card.task == "emotion" else "gender"
    outputs = predict_images(estimator, together)
    return Boxes(
        tuple(face for _, face in frames),
        together,
        np.array([one.sides_px[0] for one in aligned]),
        dict(postprocess_outputs({name: outputs[name]}, card.temperature).probabilities),
        {} if truth is None else {name: truth},
        searched,
    )
