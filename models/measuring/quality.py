"""Derive when a crop is no usable face: ``python -m models quality --data DIR [--limit N]``.

Images of the sides that training chose on go through the default detector, as they are, blurred, and with few pixels;
so do the validation photographs of the detector, for boxes in which there is no face. Clean faces set where lessening
begins: at least 99 % of each data set keep their answers whole. Where nothing is left of an answer is set by what makes
the lessened answers most likely: for sharpness and size by the answers on damaged faces, for the score by how many of
the boxes with that score hold a face. No answer is known for faces in full profile, whose points are nearly on a line;
there, nothing is left. Limits and measured figures are written to ``usability.json`` beside the artifacts.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import artifacts_dir
from core.attributes.estimator import LiteRTEstimator
from core.attributes.quality import QUALITY_FILE, QualityMeasures, QualitySettings, Smoothstep, blend_with_uniform, pose
from core.datasets.faces import load_faces
from core.detection import DEFAULT_DETECTOR, create_detector
from core.errors import DatasetError
from core.settings import LIVE_DETECTOR, DetectorSettings
from core.types import MIRRORED_POINTS
from models.cli import add_data, positive_int, run
from models.corruptions import CORRUPTIONS
from models.measuring.quality_data import (
    BLURS,
    CLASSES,
    Boxes,
    Photographed,
    clean_boxes,
    damaged_boxes,
    few_samples,
    photographed,
    tiny_boxes,
)

CLEAN_SHARE = 0.99
"""Share of clean faces of each data set whose answers stay whole."""
LIMIT = 400
_CLEAN_TIMES = 3
"""Clean images for each damaged one: it is their rarest that the limits come from."""
_SIDES_PX = (40, 32, 24, 16, 12, 8)
_NATIVE_PX = 48.0
"""FER2013's images are this large: clean faces."""
_LEAST = 0.01
_STEPS = 40
_MILDEST = 20.0
"""Takes less than one per cent off an answer, whatever the value."""
CLEAN = "Undamaged"
FALSE_BOX = "No face, found by default"
WEAK_FALSE_BOX = "No face, found with the highest sensitivity"
RANDOM_BOX = "No face, a random box as if it were found"
_ANYTHING = Smoothstep(-2, -1)
"""A criterion that keeps every answer whole."""


def fit(clean: dict[str, Boxes], blurred: list[Boxes], tiny: list[Boxes], photos: Photographed) -> QualitySettings:
    """``clean`` by task; see the module for what each part is for."""
    points = plain_points([boxes.points() for boxes in clean.values()])
    signs = {id(boxes): boxes.signs(points) for boxes in (*clean.values(), *blurred, *tiny)}
    clean_signs = [signs[id(boxes)] for boxes in clean.values()]
    sharp, minus_pose, score = _beginnings([(one.sharpness, -one.pose, one.score) for one in clean_signs])
    settings = QualitySettings(
        sharpness=_ANYTHING,
        side_px=_ANYTHING,
        pose=Smoothstep(pose(points * [0, 1], points), -minus_pose),
        score=_ANYTHING,
        points=tuple((float(x), float(y)) for x, y in points),
    )
    ramps = [Smoothstep(float(end), sharp) for end in _ends(sharp)]
    judged = [(boxes, signs[id(boxes)]) for boxes in blurred]
    settings = min((replace(settings, sharpness=ramp) for ramp in ramps), key=lambda one: surprise(judged, one))
    ramps = [Smoothstep(float(end), float(split)) for split in np.arange(2, _NATIVE_PX + 1, 2) for end in _ends(split)]
    judged = [(boxes, signs[id(boxes)]) for boxes in tiny]
    settings = min((replace(settings, side_px=ramp) for ramp in ramps), key=lambda one: surprise(judged, one))
    ramps = [Smoothstep(float(end), score) for end in _ends(score)]
    return replace(settings, score=min(ramps, key=lambda ramp: _face_surprise(photos, ramp)))


def _ends(usable: float) -> NDArray[np.float64]:
    """Where nothing may be left, mildest first. Below 0, which no value reaches, something is left of every answer: a
    network that learnt from damaged faces is less sure of them by itself."""
    mild = -usable * np.geomspace(_MILDEST, 1 / _STEPS, _STEPS)
    return np.concatenate([mild, np.linspace(0, usable, _STEPS, endpoint=False)])


def plain_points(points: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """(N, 5, 2) of each data set -> (5, 2) a plain face's, level and symmetric, each set counting alike."""
    middles = []
    for five in points:
        shape = (five - five.mean(axis=1, keepdims=True)) @ [1, 1j]
        turned = shape / np.linalg.norm(shape, axis=1, keepdims=True)
        eyes = turned[:, 1] - turned[:, 0]
        level = turned * (np.abs(eyes) / eyes)[:, None]
        middles.append(np.median(level.real, axis=0) + 1j * np.median(level.imag, axis=0))
    middle = np.mean(middles, axis=0)
    symmetric = (middle - middle[MIRRORED_POINTS].conj()) / 2
    return np.round(np.stack([symmetric.real, symmetric.imag], axis=1), 4)


def surprise(parts: list[tuple[Boxes, QualityMeasures]], settings: QualitySettings) -> float:
    """Mean over boxes and answers of -log(probability of what is true) / log(number of classes), after lessening."""
    sums, count = 0.0, 0
    for boxes, signs in parts:
        share = signs.share(settings)
        for name, truth in boxes.truth.items():
            answers = blend_with_uniform(boxes.answers[name], share)
            likely = answers[np.arange(len(truth)), truth]
            sums += float(-np.log(np.maximum(likely, 1e-9)).sum()) / np.log(CLASSES[name])
            count += len(truth)
    return sums / max(count, 1)


def measured(boxes: Boxes, settings: QualitySettings) -> dict[str, dict[str, float]]:
    """Answer -> number of boxes, mean share, mean confidence before and after, and accuracy where there is a truth."""
    share = boxes.signs(settings.points).share(settings)
    figures = {}
    for name, answers in boxes.answers.items():
        after = blend_with_uniform(answers, share)
        figures[name] = {
            "searched": boxes.searched,
            "n": len(share),
            "whole": float((share == 1).mean()),
            "share": float(share.mean()),
            "before": float(answers.max(axis=1).mean()),
            "after": float(after.max(axis=1).mean()),
        }
        if name in boxes.truth:
            figures[name]["accuracy"] = float((answers.argmax(axis=1) == boxes.truth[name]).mean())
    return {name: {key: round(value, 4) for key, value in row.items()} for name, row in figures.items()}


def _beginnings(values: list[tuple[NDArray[np.float64], ...]]) -> list[float]:
    """For each data set (N,) values of which more is better, one array a criterion -> the limits, one a criterion, that
    at least ``CLEAN_SHARE`` of each set reach in all criteria, each excluding the same part."""
    for part in np.linspace(1 - CLEAN_SHARE, 0, 101):
        limits = [
            float(min(np.quantile(one, part, method="lower") for one in criterion))
            for criterion in zip(*values, strict=True)
        ]
        # Rounded down: the file has four decimals, and the last clean face must still be whole.
        limits = [float(np.floor(limit * 1e4) / 1e4) for limit in limits]
        kept = [np.all([one >= limit for one, limit in zip(row, limits, strict=True)], axis=0).mean() for row in values]
        if min(kept) >= CLEAN_SHARE:
            return limits
    raise DatasetError("there are no clean faces to take limits from")


def _face_surprise(photos: Photographed, ramp: Smoothstep) -> float:
    share = np.clip(ramp.share(photos.scores), _LEAST, 1 - _LEAST)
    return float(-np.where(photos.is_face, np.log(share), np.log(1 - share)).mean())


def derive(data_dir: Path, limit: int = LIMIT) -> dict[str, Any]:
    """What is written to the file: the limits, and the figures measured with them."""
    estimators = {name: LiteRTEstimator(artifacts_dir() / name) for name in ("emotion", "age_gender")}
    close = create_detector(DEFAULT_DETECTOR, replace(LIVE_DETECTOR, min_face_px=int(_NATIVE_PX)))
    blurred: dict[str, list[Boxes]] = {}
    tiny: dict[str, list[Boxes]] = {}
    clean: dict[str, Boxes] = {}
    for task, estimator in estimators.items():
        samples = few_samples(data_dir, task, limit * _CLEAN_TIMES)
        scenes, clean[task] = clean_boxes(samples, estimator, close)
        (truth,) = clean[task].truth.values()
        subsample = samples.take(np.arange(min(limit, len(samples))))
        for name, severity in BLURS:
            condition = f"{CORRUPTIONS[name].title}, severity {severity} of 5"
            blurred.setdefault(condition, []).append(damaged_boxes(subsample, name, severity, estimator, close))
        for side_px in _SIDES_PX:
            small = tiny_boxes(scenes[:limit], truth[:limit], side_px, estimator)
            tiny.setdefault(f"Crop from {side_px} pixels", []).append(small)
    validation = load_faces(data_dir, only="validation").splits["validation"]
    by_default, loose = (
        photographed(validation, list(estimators.values()), create_detector(DEFAULT_DETECTOR, search))
        for search in (DetectorSettings(), DetectorSettings(sensitivity=1.0))
    )
    settings = fit(clean, _all(blurred), _all(tiny), loose)
    parts = {CLEAN: list(clean.values())} | blurred | tiny
    parts |= {FALSE_BOX: by_default.false, WEAK_FALSE_BOX: loose.false, RANDOM_BOX: loose.random}
    figures = {
        name: {answer: row for boxes in group for answer, row in measured(boxes, settings).items()}
        for name, group in parts.items()
    }
    return as_dict(settings) | {"measured": figures}


def _all(conditions: dict[str, list[Boxes]]) -> list[Boxes]:
    return [boxes for parts in conditions.values() for boxes in parts]


def as_dict(settings: QualitySettings) -> dict[str, Any]:
    ramps = {name: getattr(settings, name) for name in ("sharpness", "side_px", "pose", "score")}
    limits = {
        name: {"unusable": round(ramp.unusable, 4), "usable": round(ramp.usable, 4)} for name, ramp in ramps.items()
    }
    return limits | {"points": [list(point) for point in settings.points]}


def table(figures: dict[str, dict[str, dict[str, float]]]) -> str:
    lines = [f"{'':46}{'answer':8}{'n':>6}{'whole':>8}{'share':>8}{'before':>8}{'after':>8}{'accuracy':>10}"]
    for condition, answers in figures.items():
        for name, row in answers.items():
            shares = "".join(f"{row[key]:8.1%}" for key in ("whole", "share", "before", "after"))
            accuracy = f"{row['accuracy']:10.1%}" if "accuracy" in row else ""
            lines.append(f"{condition:46}{name:8}{row['n']:6.0f}{shares}{accuracy}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models quality", description="Limits of usable faces.")
    add_data(parser, "fer2013/, UTKFace/ and faces/")
    parser.add_argument("--limit", type=positive_int, default=LIMIT, help=f"images a condition (default {LIMIT})")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return run(parser, _store, arguments)


def _store(options: argparse.Namespace) -> None:
    result = derive(options.data, options.limit)
    file = artifacts_dir() / QUALITY_FILE
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2) if options.json else table(result["measured"]))


if __name__ == "__main__":
    sys.exit(main())
