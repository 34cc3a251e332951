"""Choose how a detected face is framed: ``python -m models.framing ARTIFACT --data DIR``.

Training images are framed by their data set, live faces by the detector. Every image of the side that training chose
on is put into a larger picture and through the detector; the crop (scale and downward shift relative to the box) with
the best figures is written to the card, with what it costs against the plain images on both reported sides.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.artifact import CropSpec, artifacts_dir, load_card
from core.crops import crop_faces
from core.datasets.samples import Samples
from core.datasets.utkface import SOURCE_SIZE
from core.detection import DEFAULT_DETECTOR, FaceDetector, create_detector
from core.errors import FacetError
from core.estimator import LiteRTEstimator
from core.evaluation.metrics import headline
from core.evaluation.runner import evaluate_estimator, predict_images, predictions_from_outputs
from core.settings import DetectorSettings
from core.types import Box
from models.cards import read_card, write_card
from models.evaluate import REPORTED_SIDES, load_data

SCALES = (0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7)
SHIFTS_Y = (-0.05, 0.0, 0.05, 0.1)
_FACE_PX = 192
_BORDER = 0.25
"""Replicated around each image before detection, as a fraction of its side: a face that fills the picture to the
edge is none to a detector."""
_CONSIDERED = 1200


@dataclass(frozen=True)
class Scene:
    """One image inside a larger picture, and where the detector saw the face (``None``: not at all)."""

    frame: NDArray[np.uint8]
    box: Box | None


def scenes_of(samples: Samples, detector: FaceDetector) -> list[Scene]:
    """Enlarge, surround and search every image."""
    scenes = []
    for image in tqdm(samples.images, desc="detect", leave=False):
        enlarged = cv2.resize(image, (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_CUBIC)
        if enlarged.ndim == 2:
            enlarged = cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR)
        border = round(_BORDER * _FACE_PX)
        frame = cv2.copyMakeBorder(enlarged, border, border, border, border, cv2.BORDER_REPLICATE)
        center = np.array([frame.shape[1], frame.shape[0]]) / 2
        found = [d.box for d in detector.detect(frame) if d.box.width >= _FACE_PX / 4]
        nearest = min(found, key=lambda box: float(np.hypot(*(np.array(box.center) - center))), default=None)
        scenes.append(Scene(frame, nearest))
    return scenes


def figures_with(estimator: LiteRTEstimator, samples: Samples, scenes: list[Scene], spec: CropSpec) -> dict[str, float]:
    """Headline figures on crops made by ``spec``; every scene must have a box."""
    card = estimator.card
    crops = np.concatenate(
        [
            crop_faces(scene.frame, [scene.box], spec, card.input_size, card.channels)
            for scene in scenes
            if scene.box is not None
        ]
    )
    outputs = predict_images(estimator, crops)
    return headline(predictions_from_outputs(outputs, samples, card.age_interval_scale))


def choose_crop(estimator: LiteRTEstimator, samples: Samples, scenes: list[Scene]) -> CropSpec:
    """The framing with the highest accuracy, or for age and gender the lowest age error."""
    specs = [CropSpec(scale, shift) for scale in SCALES for shift in SHIFTS_Y]
    scored = [(_score(figures_with(estimator, samples, scenes, spec)), spec) for spec in tqdm(specs, leave=False)]
    return max(scored, key=lambda pair: pair[0])[1]


def _score(figures: dict[str, float]) -> float:
    # A point of gender accuracy weighs like a fifth of a year: about the ratio of their intervals.
    return figures["accuracy"] if "accuracy" in figures else 20 * figures["gender_accuracy"] - figures["age_mae"]


def _seen(samples: Samples, scenes: list[Scene]) -> tuple[Samples, list[Scene]]:
    rows = [row for row, scene in enumerate(scenes) if scene.box is not None]
    return samples.take(np.array(rows, np.int64)), [scenes[row] for row in rows]


def fit_framing(folder: Path, data_dir: Path) -> dict[str, object]:
    """Choose the crop on the choosing side, measure it on both reported sides, write both to the card."""
    estimator = LiteRTEstimator(folder)
    card = estimator.card
    data = load_data(card.task, data_dir, SOURCE_SIZE if card.task == "age_gender" else card.input_size)
    detector = create_detector(DEFAULT_DETECTOR, DetectorSettings(min_face_px=_FACE_PX // 4))
    chosen_on, reported_on = REPORTED_SIDES[card.task]
    spec: CropSpec | None = None
    measured: dict[str, object] = {"detector": DEFAULT_DETECTOR, "chosen_on": chosen_on}
    for side in (chosen_on, reported_on):
        samples = data.sides[side]
        scenes = scenes_of(samples, detector)
        seen, seen_scenes = _seen(samples, scenes)
        if spec is None:
            part = slice(0, _CONSIDERED)
            spec = choose_crop(estimator, seen.take(np.arange(len(seen))[part]), seen_scenes[part])
        plain = headline(evaluate_estimator(estimator, seen))
        measured[side] = {
            "images": len(samples),
            "found": len(seen),
            "plain": plain,
            "detected": figures_with(estimator, seen, seen_scenes, spec),
        }
    assert spec is not None
    written = read_card(folder) | {"crop": {"scale": spec.scale, "shift_y": spec.shift_y}, "framing": measured}
    write_card(folder, written)
    return {"crop": written["crop"], "framing": measured}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.framing", description="Fit the crop to the detector.")
    parser.add_argument("artifact", help="name of a folder in models/artifacts")
    parser.add_argument("--data", type=Path, required=True, help="folder with fer2013/ or fer2013.csv, and UTKFace/")
    options = parser.parse_args(arguments)
    try:
        load_card(artifacts_dir() / options.artifact)
        result = fit_framing(artifacts_dir() / options.artifact, options.data)
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
