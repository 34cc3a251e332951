"""Fit the face alignment of a network to a detector: ``python -m models alignment ARTIFACT --data DIR``.

Training images are cropped by their data set, live faces by the detector. So every image of the validation split is
padded and searched by the detector. With landmarks, their median place in the training images becomes the place that
faces are aligned to; without, scale and downward shift of the box are searched. The alignment is written to the card,
with the metrics of plain and detected images on both splits and, with landmarks, of rotated images.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.artifacts.model_card import DETECTOR_ARTIFACT, SERVED_FILE, AlignmentSpec, artifacts_dir
from core.artifacts.storage import sha256_of
from core.attributes.alignment import align_faces, alignment_square
from core.attributes.estimator import LiteRTEstimator
from core.datasets.samples import Samples
from core.datasets.utkface import SOURCE_SIZE
from core.detection import DEFAULT_DETECTOR, DETECTORS, FaceArrays, FaceDetector, create_detector
from core.errors import DatasetError
from core.evaluation.metrics import summary_metrics
from core.evaluation.predict import evaluate_estimator, predict_images, predictions_from_outputs
from core.settings import LIVE_DETECTOR
from core.tasks import TASKS
from core.types import MIRRORED_POINTS, Box, Detection
from models.cli import add_artifact, add_data, artifact_folder, run
from models.exporting.model_card import read_card, write_card
from models.training.tasks import load_data

SCALES = (0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7)
SHIFTS_Y = (-0.05, 0.0, 0.05, 0.1)
ZOOMS = (0.88, 0.91, 0.94, 0.97, 1.0, 1.03, 1.06, 1.09, 1.12)
ROTATIONS_DEG = (0, 15, 30, 45)
_FACE_PX = 192
_PADDING_PX = 48
"""Replicated around each image, since a detector does not find a face that fills its image to the edge."""

Image = NDArray[np.uint8]
Metrics = dict[str, float]


@dataclass(frozen=True)
class PaddedImage:
    """A training image in a larger frame, and the face that the detector found in it."""

    frame: Image
    face: Detection


def detect_padded(
    samples: Samples, detector: FaceDetector, angle_deg: float = 0.0
) -> tuple[NDArray[np.intp], list[PaddedImage]]:
    """Enlarge, pad, rotate (every other image the other way) and search every image; returns the rows of ``samples``
    with a face, and their padded images."""
    rows, images = [], []
    for row, image in enumerate(tqdm(samples.images, desc=f"detect at {angle_deg:.0f} degrees", leave=False)):
        frame = _rotate(_pad(image), angle_deg if row % 2 else -angle_deg)
        center = np.array([frame.shape[1], frame.shape[0]]) / 2
        found = [face for face in detector.detect(frame) if face.box.width >= _FACE_PX / 4]
        if found:
            nearest = min(found, key=lambda face: float(np.hypot(*(np.array(face.box.center) - center))))
            rows.append(row)
            images.append(PaddedImage(frame, nearest))
    return np.array(rows, np.intp), images


def _pad(image: Image) -> Image:
    enlarged = np.asarray(cv2.resize(image, (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
    if enlarged.ndim == 2:
        enlarged = np.asarray(cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.asarray(cv2.copyMakeBorder(enlarged, *(_PADDING_PX,) * 4, cv2.BORDER_REPLICATE), np.uint8)


def _rotate(frame: Image, angle_deg: float) -> Image:
    if angle_deg == 0:
        return frame
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1.0)
    return np.asarray(cv2.warpAffine(frame, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def measure_aligned(
    estimator: LiteRTEstimator, samples: Samples, images: Sequence[PaddedImage], spec: AlignmentSpec
) -> Metrics:
    """Measure the network on faces aligned by ``spec``; ``samples`` and ``images`` belong together row by row."""
    card = estimator.card
    crops = [align_faces(image.frame, [image.face], spec, card.input_size, card.channels).crops for image in images]
    outputs = predict_images(estimator, np.concatenate(crops))
    predictions = predictions_from_outputs(outputs, samples, card.task, card.age_calibration, card.temperature)
    return summary_metrics(predictions)


def choose_alignment(
    estimator: LiteRTEstimator, samples: Samples, images: Sequence[PaddedImage], start: AlignmentSpec
) -> AlignmentSpec:
    """Choose the alignment with the best score; what is not searched is kept from ``start``."""
    if all(image.face.landmarks is not None for image in images):
        landmarks = mean_landmarks(images)
        specs = [replace(start, points=_zoom(landmarks, zoom)) for zoom in ZOOMS]
    else:
        specs = [replace(start, scale=scale, shift_y=shift) for scale in SCALES for shift in SHIFTS_Y]
    return max(tqdm(specs, leave=False), key=lambda spec: _score(measure_aligned(estimator, samples, images, spec)))


def mean_landmarks(images: Sequence[PaddedImage]) -> NDArray[np.float64]:
    """Compute the median place of the landmarks in the training images, (5, 2) as fractions of their side, left-right
    symmetric."""
    landmarks = FaceArrays.from_detections(image.face for image in images).landmarks
    median = (np.median(landmarks, axis=0) - _PADDING_PX) / _FACE_PX
    mirrored = median[MIRRORED_POINTS] * [-1, 1] + [1, 0]
    return np.asarray((median + mirrored) / 2)


def _zoom(landmarks: NDArray[np.float64], zoom: float) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in (landmarks - 0.5) * zoom + 0.5)


def _score(metrics: Metrics) -> float:
    if "accuracy" in metrics:
        return metrics["accuracy"]
    # A point of gender accuracy weighs like a fifth of a year: about the ratio of their confidence intervals.
    return 20 * metrics.get("gender_accuracy", 0.0) - metrics.get("age_mae", 0.0)


def measure_rotated(
    estimator: LiteRTEstimator, samples: Samples, detector: FaceDetector, spec: AlignmentSpec
) -> dict[str, dict[str, object]]:
    """Measure rotated images with and without turning the faces upright; keys are the angles in degrees."""
    by_angle: dict[str, dict[str, object]] = {}
    for angle in ROTATIONS_DEG:
        found, images = _detect_some(samples, detector, angle)
        by_angle[str(angle)] = {
            "found": len(found),
            "aligned": measure_aligned(estimator, found, images, spec),
            "upright": measure_aligned(estimator, found, _drop_rotation(images, spec), AlignmentSpec()),
        }
    return by_angle


def _detect_some(samples: Samples, detector: FaceDetector, angle_deg: float = 0.0) -> tuple[Samples, list[PaddedImage]]:
    rows, images = detect_padded(samples, detector, angle_deg)
    if not images:
        raise DatasetError("the detector found no face in any image. Check the detector's artifact.")
    return samples.take(rows), images


def _drop_rotation(images: Sequence[PaddedImage], spec: AlignmentSpec) -> list[PaddedImage]:
    """Replace faces by faces without landmarks whose box is the square of ``spec``, not rotated."""
    upright = []
    for image in images:
        (x, y), side_px, _ = alignment_square(image.face, spec)
        half = side_px / 2
        box = Box(x - half, y - half, x + half, y + half)
        upright.append(PaddedImage(image.frame, Detection(box, image.face.score)))
    return upright


def measured_with(folder: Path, detector_name: str = DEFAULT_DETECTOR) -> dict[str, str]:
    """Compute the SHA-256 of the model files that the metrics hold for; OpenCV's detectors have none."""
    files = {"network": folder / SERVED_FILE}
    if detector_name == DEFAULT_DETECTOR:
        files["detector"] = artifacts_dir() / DETECTOR_ARTIFACT / SERVED_FILE
    return {name: sha256_of(file) for name, file in files.items()}


def fit_alignment(folder: Path, data_dir: Path, detector_name: str = DEFAULT_DETECTOR) -> dict[str, object]:
    """Choose the alignment on the validation split, measure it on both splits, and write both to the card."""
    estimator = LiteRTEstimator(folder)
    card = estimator.card
    splits = load_data(card.task, data_dir, SOURCE_SIZE).splits
    detector = create_detector(detector_name, replace(LIVE_DETECTOR, min_face_px=_FACE_PX // 4))
    test_name, validation_name = (split.name for split in TASKS[card.task].splits)
    measured: dict[str, object] = {"chosen_on": validation_name, "sha256": measured_with(folder, detector_name)}
    spec = card.crop
    for name in (validation_name, test_name):
        found, images = _detect_some(splits[name], detector)
        if name == validation_name:
            spec = choose_alignment(estimator, found, images, card.crop)
        measured[name] = {
            "images": len(splits[name]),
            "found": len(found),
            "plain": summary_metrics(evaluate_estimator(estimator, found)),
            "detected": measure_aligned(estimator, found, images, spec),
        }
    if images[0].face.landmarks is not None:
        measured["tilted"] = measure_rotated(estimator, splits[test_name], detector, spec)
    written = read_card(folder)
    crop = {"scale": spec.scale, "shift_y": spec.shift_y, "points": spec.points}
    framing = dict(written.get("framing", {})) | {detector_name: measured}
    write_card(folder, written | {"crop": crop, "framing": framing})
    return {"crop": crop, "framing": measured}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models alignment", description="Fit the alignment to a detector.")
    add_artifact(parser)
    add_data(parser)
    parser.add_argument("--detector", choices=DETECTORS, default=DEFAULT_DETECTOR)
    return run(parser, _print_fit, arguments)


def _print_fit(options: argparse.Namespace) -> None:
    result = fit_alignment(artifact_folder(options.artifact), options.data, options.detector)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    sys.exit(main())
