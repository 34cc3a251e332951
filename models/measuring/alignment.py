"""Choose how a detected face is framed: ``python -m models alignment ARTIFACT --data DIR [--detector NAME]``.

Training images are framed by their data set, live faces by the detector. Every image of the side that training chose
on is put into a larger picture and through the detector. With landmarks, the place of the five points in the training
images becomes the one that faces are aligned to; without, scale and downward shift of the box are searched. The crop
is written to the card, with what it costs against the plain images on both reported sides, and, with landmarks, what
turning the face upright gains on tilted pictures.
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
from core.detection import DEFAULT_DETECTOR, DETECTORS, FaceDetector, create_detector
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
ANGLES_DEG = (0, 15, 30, 45)
_FACE_PX = 192
_BORDER = 0.25
"""Replicated around each image before detection, as a fraction of its side: a face that fills the picture to the
edge is none to a detector."""
_BORDER_PX = round(_BORDER * _FACE_PX)


@dataclass(frozen=True)
class Scene:
    """One image inside a larger picture, and the face that the detector saw in it (``None``: none)."""

    frame: NDArray[np.uint8]
    face: Detection | None


def scenes_of(samples: Samples, detector: FaceDetector, angle_deg: float = 0.0) -> list[Scene]:
    """Enlarge, surround, tilt (every other image the other way) and search every image."""
    scenes = []
    for row, image in enumerate(tqdm(samples.images, desc=f"detect at {angle_deg:.0f} degrees", leave=False)):
        frame = _tilted(_surrounded(image), angle_deg if row % 2 else -angle_deg)
        center = np.array([frame.shape[1], frame.shape[0]]) / 2
        found = [face for face in detector.detect(frame) if face.box.width >= _FACE_PX / 4]
        nearest = min(found, key=lambda face: float(np.hypot(*(np.array(face.box.center) - center))), default=None)
        scenes.append(Scene(frame, nearest))
    return scenes


def _surrounded(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    enlarged = np.asarray(cv2.resize(image, (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
    if enlarged.ndim == 2:
        enlarged = np.asarray(cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR), np.uint8)
    splits = (_BORDER_PX,) * 4
    return np.asarray(cv2.copyMakeBorder(enlarged, *splits, cv2.BORDER_REPLICATE), np.uint8)


def _tilted(frame: NDArray[np.uint8], angle_deg: float) -> NDArray[np.uint8]:
    if angle_deg == 0:
        return frame
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1.0)
    return np.asarray(cv2.warpAffine(frame, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def figures_with(
    estimator: LiteRTEstimator, samples: Samples, scenes: list[Scene], spec: AlignmentSpec
) -> dict[str, float]:
    """Headline figures on crops made by ``spec``; every scene must have a face."""
    card = estimator.card
    crops = np.concatenate(
        [
            align_faces(scene.frame, [scene.face], spec, card.input_size, card.channels).crops
            for scene in scenes
            if scene.face is not None
        ]
    )
    outputs = predict_images(estimator, crops)
    return summary_metrics(
        predictions_from_outputs(outputs, samples, card.task, card.age_calibration, card.temperature)
    )


def choose_crop(
    estimator: LiteRTEstimator, samples: Samples, scenes: list[Scene], start: AlignmentSpec
) -> AlignmentSpec:
    """The framing with the highest accuracy, or for age and gender the best of both; the rest is kept of ``start``."""
    if all(scene.face is not None and scene.face.landmarks is not None for scene in scenes):
        points = mean_points(scenes)
        specs = [replace(start, points=_zoomed(points, zoom)) for zoom in ZOOMS]
    else:
        specs = [replace(start, scale=scale, shift_y=shift) for scale in SCALES for shift in SHIFTS_Y]
    scored = [(_score(figures_with(estimator, samples, scenes, spec)), spec) for spec in tqdm(specs, leave=False)]
    return max(scored, key=lambda pair: pair[0])[1]


def mean_points(scenes: Sequence[Scene]) -> NDArray[np.float64]:
    """(5, 2) median place of the landmarks in the plain images, as fractions of their side; left-right symmetric."""
    found = np.array([scene.face.landmarks.points for scene in scenes if scene.face and scene.face.landmarks])
    points = (np.median(found, axis=0) - _BORDER_PX) / _FACE_PX
    mirrored = points[MIRRORED_POINTS] * [-1, 1] + [1, 0]
    return np.asarray((points + mirrored) / 2)


def _zoomed(points: NDArray[np.float64], zoom: float) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in (points - 0.5) * zoom + 0.5)


def _score(figures: dict[str, float]) -> float:
    if "accuracy" in figures:
        return figures["accuracy"]
    # A point of gender accuracy weighs like a fifth of a year: about the ratio of their intervals. Not all answer both.
    return 20 * figures.get("gender_accuracy", 0.0) - figures.get("age_mae", 0.0)


def _seen(samples: Samples, scenes: list[Scene]) -> tuple[Samples, list[Scene]]:
    rows = [row for row, scene in enumerate(scenes) if scene.face is not None]
    if not rows:
        raise DatasetError("the detector found no face at all: is its artifact in order?")
    return samples.take(np.array(rows, np.int64)), [scenes[row] for row in rows]


def _upright(scenes: list[Scene], spec: AlignmentSpec) -> list[Scene]:
    """The same squares without their angle, as faces without landmarks whose box is the square."""
    squares = []
    for scene in scenes:
        assert scene.face is not None
        (x, y), split, _ = alignment_square(scene.face, spec)
        half = split / 2
        squares.append(Scene(scene.frame, Detection(Box(x - half, y - half, x + half, y + half), scene.face.score)))
    return squares


def tilt_figures(
    estimator: LiteRTEstimator, samples: Samples, detector: FaceDetector, spec: AlignmentSpec
) -> dict[str, dict[str, object]]:
    """Angle -> how many faces are found, and the figures on them with and without turning them upright."""
    by_angle: dict[str, dict[str, object]] = {}
    for angle in ANGLES_DEG:
        seen, scenes = _seen(samples, scenes_of(samples, detector, angle))
        by_angle[str(angle)] = {
            "found": len(seen),
            "aligned": figures_with(estimator, seen, scenes, spec),
            "upright": figures_with(estimator, seen, _upright(scenes, spec), AlignmentSpec()),
        }
    return by_angle


def measured_with(folder: Path, detector_name: str = DEFAULT_DETECTOR) -> dict[str, str]:
    """SHA-256 of the model files that the figures hold for; OpenCV's detectors have none of ours."""
    files = {"network": folder / SERVED_FILE}
    if detector_name == DEFAULT_DETECTOR:
        files["detector"] = artifacts_dir() / DETECTOR_ARTIFACT / SERVED_FILE
    return {name: sha256_of(file) for name, file in files.items()}


def fit_framing(folder: Path, data_dir: Path, detector_name: str = DEFAULT_DETECTOR) -> dict[str, object]:
    """Choose the crop on the choosing side, measure it on both reported sides, write both to the card."""
    estimator = LiteRTEstimator(folder)
    card = estimator.card
    data = load_data(card.task, data_dir, SOURCE_SIZE)
    detector = create_detector(detector_name, replace(LIVE_DETECTOR, min_face_px=_FACE_PX // 4))
    test_split, validation_split = TASKS[card.task].splits
    spec: AlignmentSpec | None = None
    measured: dict[str, object] = {"chosen_on": validation_split.name, "sha256": measured_with(folder, detector_name)}
    for split in (validation_split.name, test_split.name):
        samples = data.splits[split]
        seen, scenes = _seen(samples, scenes_of(samples, detector))
        if spec is None:
            spec = choose_crop(estimator, seen, scenes, card.crop)
        measured[split] = {
            "images": len(samples),
            "found": len(seen),
            "plain": summary_metrics(evaluate_estimator(estimator, seen)),
            "detected": figures_with(estimator, seen, scenes, spec),
        }
    assert spec is not None
    if spec.points is not None and scenes[0].face is not None and scenes[0].face.landmarks is not None:
        measured["tilted"] = tilt_figures(estimator, data.splits[test_split.name], detector, spec)
    written = read_card(folder)
    crop = {"scale": spec.scale, "shift_y": spec.shift_y, "points": spec.points}
    framing = dict(written.get("framing", {})) | {detector_name: measured}
    write_card(folder, written | {"crop": crop, "framing": framing})
    return {"crop": crop, "framing": measured}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models alignment", description="Fit the crop to the detector.")
    add_artifact(parser)
    add_data(parser)
    parser.add_argument("--detector", choices=DETECTORS, default=DEFAULT_DETECTOR)
    return run(parser, _print_fit, arguments)


def _print_fit(options: argparse.Namespace) -> None:
    result = fit_framing(artifact_folder(options.artifact), options.data, options.detector)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    sys.exit(main())
