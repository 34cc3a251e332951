"""Fit the limits of the face quality score: ``python -m models quality --data DIR [--limit N]``.

Images of the validation splits go through the default detector: clean, blurred, and with few pixels. At least 99 % of
the clean faces of each data set keep quality 1. Where quality reaches 0 minimizes the negative log-likelihood of the
blended predictions: of corrupted faces for sharpness and size, of being a face at all for the detection score. No
prediction is known for full profiles, whose landmarks are nearly on a line: their quality is 0. ``usability.json``
beside the artifacts keeps the limits.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import PREDICTIONS_FILE, artifacts_dir
from core.artifacts.storage import save_json, to_json
from core.attributes.alignment import align_faces, alignment_square
from core.attributes.estimator import Estimator, LiteRTEstimator
from core.attributes.postprocessing import postprocess_outputs
from core.attributes.quality import (
    QUALITY_FILE,
    QualitySettings,
    Smoothstep,
    blend_with_uniform,
    measure_poses,
    measure_sharpness,
    pose_distance,
)
from core.datasets.faces import FacePhoto, load_faces
from core.datasets.loading import read_split
from core.datasets.samples import Samples, subsample
from core.datasets.utkface import SOURCE_SIZE
from core.detection import DEFAULT_DETECTOR, FaceArrays, FaceDetector, create_detector
from core.errors import DatasetError
from core.evaluation.detection.matching import match_image
from core.evaluation.predict import predict_images
from core.evaluation.predictions import load_predictions
from core.settings import LIVE_DETECTOR, DetectorSettings
from core.tasks import TASKS
from core.types import MIRRORED_POINTS, Box, Detection, Landmarks
from models.cli import add_data, positive_int, report_left_out, run
from models.corruptions import corrupt
from models.measuring.alignment import PaddedImage, detect_padded

CLEAN_SHARE = 0.99
"""Share of clean faces of each data set that have quality 1."""
LIMIT = 400
_CLEAN_TIMES = 3
"""Clean images per corrupted one: the rarest of them decide."""
_BLURS = tuple((name, severity) for name in ("small", "defocus", "motion") for severity in (1, 3, 5))
_SIDES_PX = (40, 32, 24, 16, 12, 8)
_NATIVE_PX = 48.0
"""FER2013's images are this large: clean faces."""
_LEAST = 0.01
_STEPS = 40
_MILDEST = 20.0
"""Takes less than one per cent off a prediction, whatever the value."""
_ANYTHING = Smoothstep(-2, -1)
"""Gives every face quality 1."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class QualityMeasures:
    """N faces of one condition: what their quality depends on, calibrated probabilities (N, K) and true classes (N,).

    ``poses`` are 0 until the reference landmarks are known.
    """

    faces: tuple[Detection, ...]
    scores: Floats
    sharpness: Floats
    sides_px: Floats
    poses: Floats
    probabilities: Floats
    truth: NDArray[np.int64]

    @property
    def landmarks(self) -> Floats:
        """(M, 5, 2) of the faces that have landmarks."""
        return np.array([face.landmarks.points for face in self.faces if face.landmarks]).reshape(-1, 5, 2)

    def quality(self, settings: QualitySettings) -> Floats:
        """Compute the (N,) quality scores, as ``core.attributes.quality`` does for crops."""
        crops = np.minimum(settings.sharpness(self.sharpness), settings.side_px(self.sides_px))
        return np.minimum(crops, np.minimum(settings.pose(self.poses), settings.score(self.scores)))


def fit(
    clean: Sequence[QualityMeasures],
    blurred: Sequence[QualityMeasures],
    tiny: Sequence[QualityMeasures],
    detections: tuple[Floats, NDArray[np.bool_]],
) -> QualitySettings:
    """Fit all limits; ``clean`` by data set, ``detections``: (D,) scores and whether each is a face."""
    reference = fit_reference([measures.landmarks for measures in clean])
    clean, blurred, tiny = (
        [replace(measures, poses=measure_poses(measures.faces, reference)) for measures in parts]
        for parts in (clean, blurred, tiny)
    )
    sharp, minus_pose, score = _usable_limits(
        [(measures.sharpness, -measures.poses, measures.scores) for measures in clean]
    )
    settings = QualitySettings(
        sharpness=_ANYTHING,
        side_px=_ANYTHING,
        pose=_smoothstep(pose_distance(reference * [0, 1], reference), -minus_pose),
        score=_ANYTHING,
        reference=tuple((float(x), float(y)) for x, y in reference),
    )
    candidates = [replace(settings, sharpness=_smoothstep(end, sharp)) for end in _unusable_limits(sharp)]
    settings = min(candidates, key=lambda candidate: normalized_nll(blurred, candidate))
    sides = [_smoothstep(end, side) for side in np.arange(2, _NATIVE_PX + 1, 2) for end in _unusable_limits(side)]
    settings = min(
        (replace(settings, side_px=side) for side in sides), key=lambda candidate: normalized_nll(tiny, candidate)
    )
    scores = [_smoothstep(end, score) for end in _unusable_limits(score)]
    return replace(settings, score=min(scores, key=lambda candidate: _detection_nll(*detections, candidate)))


def _smoothstep(unusable: float, usable: float) -> Smoothstep:
    # The file has four decimals.
    return Smoothstep(round(float(unusable), 4), round(float(usable), 4))


def fit_reference(landmarks: Sequence[Floats]) -> Floats:
    """Average (N, 5, 2) landmarks per data set to those of a level, symmetric face (5, 2); each set counts alike."""
    means = []
    for points in landmarks:
        shape = (points - points.mean(axis=1, keepdims=True)) @ [1, 1j]
        unit = shape / np.linalg.norm(shape, axis=1, keepdims=True)
        eyes = unit[:, 1] - unit[:, 0]
        level = unit * (np.abs(eyes) / eyes)[:, None]
        means.append(np.median(level.real, axis=0) + 1j * np.median(level.imag, axis=0))
    mean = np.mean(means, axis=0)
    symmetric = (mean - mean[MIRRORED_POINTS].conj()) / 2
    return np.round(np.stack([symmetric.real, symmetric.imag], axis=1), 4)


def normalized_nll(parts: Sequence[QualityMeasures], settings: QualitySettings) -> float:
    """Average -log(probability of the true class) / log(number of classes) of the blended predictions."""
    total, count = 0.0, 0
    for measures in parts:
        probabilities = blend_with_uniform(measures.probabilities, measures.quality(settings))
        likelihoods = probabilities[np.arange(len(measures.truth)), measures.truth]
        total += float(-np.log(np.maximum(likelihoods, 1e-9)).sum()) / np.log(probabilities.shape[1])
        count += len(measures.truth)
    return total / max(count, 1)


def _detection_nll(scores: Floats, is_face: NDArray[np.bool_], smoothstep: Smoothstep) -> float:
    quality = np.clip(smoothstep(scores), _LEAST, 1 - _LEAST)
    return float(-np.where(is_face, np.log(quality), np.log(1 - quality)).mean())


def _usable_limits(values: Sequence[tuple[Floats, ...]]) -> list[float]:
    """Find the limit of each measure (more is better) that ``CLEAN_SHARE`` of each data set reach in all measures.

    ``values``: per data set one (N,) array per measure. Each measure excludes the same share of faces.
    """
    for share in np.linspace(1 - CLEAN_SHARE, 0, 101):
        limits = [
            float(min(np.quantile(part, share, method="lower") for part in measure))
            for measure in zip(*values, strict=True)
        ]
        # Rounded down: the file has four decimals, and the last clean face must still be usable.
        limits = [float(np.floor(limit * 1e4) / 1e4) for limit in limits]
        kept = [
            np.all([part >= limit for part, limit in zip(row, limits, strict=True)], axis=0).mean() for row in values
        ]
        if min(kept) >= CLEAN_SHARE:
            return limits
    raise DatasetError("there are no clean faces to take limits from")


def _unusable_limits(usable: float) -> Floats:
    """List candidates for the other limit, mildest first.

    Below 0, which no value reaches, no face has quality 0: a network that learned from corrupted faces is less
    confident of them by itself.
    """
    mild = -usable * np.geomspace(_MILDEST, 1 / _STEPS, _STEPS)
    return np.concatenate([mild, np.linspace(0, usable, _STEPS, endpoint=False)])


def fit_to_data(data_dir: Path, limit: int = LIMIT) -> QualitySettings:
    """Fit the limits to the validation splits in ``data_dir``, with ``limit`` images per corruption."""
    close = create_detector(DEFAULT_DETECTOR, replace(LIVE_DETECTOR, min_face_px=int(_NATIVE_PX)))
    clean, blurred, tiny = [], [], []
    for task in ("emotion", "age_gender"):
        estimator = LiteRTEstimator(artifacts_dir() / task)
        samples = _validation_samples(data_dir, task, limit * _CLEAN_TIMES)
        rows, padded = detect_padded(samples, close)
        clean.append(measure_padded(padded, samples.take(rows), estimator))
        few = samples.take(np.arange(min(limit, len(samples))))
        for name, severity in _BLURS:
            rng = np.random.default_rng(severity)
            images = np.stack([corrupt(image, name, severity, rng) for image in few.images])
            found, frames = detect_padded(replace(few, images=images), close)
            blurred.append(measure_padded(frames, few.take(found), estimator))
        for side_px in _SIDES_PX:
            small = [shrink(image, side_px, estimator) for image in padded[:limit]]
            tiny.append(measure_padded(small, samples.take(rows[:limit]), estimator))
    photos = load_faces(data_dir, only="validation")
    report_left_out(photos)
    sensitive = create_detector(DEFAULT_DETECTOR, DetectorSettings(sensitivity=1.0))
    return fit(clean, blurred, tiny, label_detections(photos.splits["validation"], sensitive))


def measure_padded(images: Sequence[PaddedImage], samples: Samples, estimator: Estimator) -> QualityMeasures:
    """Align and predict the faces of ``images``, one per sample."""
    card = estimator.card
    name = "emotion" if card.task == "emotion" else "gender"
    faces = [image.face for image in images]
    aligned = [align_faces(image.frame, [image.face], card.crop, card.input_size, card.channels) for image in images]
    shape = (0, card.input_size, card.input_size, card.channels)
    crops = np.concatenate([np.empty(shape, np.uint8), *(part.crops for part in aligned)])
    outputs = {name: predict_images(estimator, crops)[name]}
    return QualityMeasures(
        tuple(faces),
        np.array([face.score for face in faces], np.float64),
        measure_sharpness(crops),
        np.array([part.sides_px[0] for part in aligned], np.float64),
        np.zeros(len(faces)),
        postprocess_outputs(outputs, card.temperature).probabilities[name],
        samples.labels[name].astype(np.int64),
    )


def shrink(image: PaddedImage, side_px: float, estimator: Estimator) -> PaddedImage:
    """Scale an image down until the square of its face's crop has about ``side_px`` pixels."""
    factor = side_px / alignment_square(image.face, estimator.card.crop)[1]
    height, width = (max(1, round(length * factor)) for length in image.frame.shape[:2])
    small = np.asarray(cv2.resize(image.frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    x, y = width / image.frame.shape[1], height / image.frame.shape[0]
    box, landmarks = image.face.box, image.face.landmarks
    points = None if landmarks is None else Landmarks(*((px * x, py * y) for px, py in landmarks.points))
    return PaddedImage(small, Detection(Box(box.x1 * x, box.y1 * y, box.x2 * x, box.y2 * y), image.face.score, points))


def label_detections(photos: Sequence[FacePhoto], detector: FaceDetector) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the scores of all detections on ``photos`` and whether each is a face, without duplicates."""
    scores: list[float] = []
    is_face: list[bool] = []
    for photo in photos:
        found = detector.detect(photo.image)
        match = match_image(FaceArrays.from_detections(found), photo.annotations)
        scores += [face.score for face, duplicate in zip(found, match.duplicates, strict=True) if not duplicate]
        is_face += (~match.false_positives[~match.duplicates]).tolist()
    return np.array(scores), np.array(is_face, bool)


def _validation_samples(data_dir: Path, task: str, count: int) -> Samples:
    """Read at most ``count`` images of the validation split, always the same ones."""
    split = TASKS[task].validation_split.name
    ids = load_predictions(artifacts_dir() / task / PREDICTIONS_FILE)[split].ids
    if task == "age_gender":
        ids = ids[subsample(ids, count)]
    data = read_split(data_dir, task, split, ids, SOURCE_SIZE)
    report_left_out(data)
    return data.samples if task == "age_gender" else data.samples.take(subsample(data.samples, count))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models quality", description="Fit the face quality score.")
    add_data(parser, "fer2013/, UTKFace/ and faces/")
    parser.add_argument("--limit", type=positive_int, default=LIMIT, help=f"images per corruption (default {LIMIT})")
    return run(parser, _fit, arguments)


def _fit(options: argparse.Namespace) -> None:
    settings = fit_to_data(options.data, options.limit)
    save_json(artifacts_dir() / QUALITY_FILE, settings, indent=2)
    print(to_json(settings))


if __name__ == "__main__":
    sys.exit(main())
