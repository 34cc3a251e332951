"""Turn a finished detector run into an artifact; ``python -m models export face_detector`` calls it.

Writes ``model.keras``, a LiteRT model for any input size (float32, or int8 where it finds as many faces), and the card
with the score threshold, chosen on the validation split. Metrics on the test split are added by
``python -m models.evaluate detector --store``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import HISTORY_FILE, KERAS_FILE, SERVED_FILE
from core.datasets.faces import Annotations, FacePhoto, load_faces
from core.detection.base import FaceArrays
from core.detection.compact import CompactDetector, FaceNetwork
from core.evaluation.detection.conditions import CONDITIONS
from core.evaluation.detection.matching import match_image
from core.evaluation.detection.metrics import condition_report
from core.evaluation.detection.report import summary_metrics
from core.evaluation.detection.runner import detect_photos
from core.evaluation.detection.store import MIN_SCORE
from models import registry
from models.cli import report_left_out
from models.exporting.model_card import build_card, join_histories, list_stages, write_card
from models.exporting.quantization import quantize_static, to_float32
from models.training.config import TrainConfig
from models.training.runs import load_export_weights

MAX_INT8_RECALL_LOSS = 0.003
MAX_INT8_NME_LOSS = 0.002
MAX_FPPI = 0.12
"""False positives per image on the validation split; the test split may be a little harder."""
CALIBRATION_PHOTOS = 200
_CALIBRATION_WH = (320, 240)


def export_detector(config: TrainConfig, data_dir: Path, run: Path, folder: Path) -> Path:
    """Write the artifact of ``run`` to ``folder`` and return it."""
    data = load_faces(data_dir)
    report_left_out(data)
    folder.mkdir(parents=True, exist_ok=True)
    model = registry.build(config.architecture, **config.architecture_arguments)
    model.set_weights(load_export_weights(config, run))
    model.save(folder / KERAS_FILE)
    (folder / HISTORY_FILE).write_text(join_histories(list_stages(config, run)), encoding="utf-8")
    card = build_card(config, run, model.count_params())
    with tempfile.TemporaryDirectory() as temporary:
        files = {name: Path(temporary) / f"{name}.tflite" for name in ("float32", "int8")}
        files["float32"].write_bytes(to_float32(model))
        quantize_static(files["float32"], _calibration_images(data.splits["train"]), files["int8"])
        exports = {
            name: {"bytes": file.stat().st_size} | evaluate_file(file, data.splits["validation"])
            for name, file in files.items()
        }
        served = "int8" if _is_close(exports["float32"], exports["int8"]) else "float32"
        shutil.copyfile(files[served], folder / SERVED_FILE)
    card["exports"] = {"compared_on": "validation", "served": served} | exports
    card["min_score"] = exports[served]["min_score"]
    write_card(folder, card)
    return folder


def _calibration_images(photos: tuple[FacePhoto, ...]) -> list[NDArray[np.uint8]]:
    rows = np.random.default_rng(0).permutation(len(photos))[:CALIBRATION_PHOTOS]
    images = [cv2.resize(photos[row].image, _CALIBRATION_WH, interpolation=cv2.INTER_LINEAR) for row in rows]
    return [np.asarray(image, np.uint8) for image in images]


def evaluate_file(file: Path, photos: Sequence[FacePhoto]) -> dict[str, float]:
    """Measure a LiteRT file on ``photos``: the score threshold for ``MAX_FPPI``, and recall, FPPI and NME with it.

    The threshold is the strictest of all conditions, each metric the worst.
    """
    network = FaceNetwork(file.read_bytes())
    images = [photo.annotations for photo in photos]
    runs = [
        detect_photos(CompactDetector(network, MIN_SCORE, condition.settings), photos, condition.longer_side_px)
        for condition in CONDITIONS
    ]
    min_score = max(_choose_threshold(images, found) for found in runs)
    kept = [[faces.take(faces.scores >= min_score) for faces in found] for found in runs]
    metrics = [summary_metrics(condition_report(images, found)) for found in kept]
    worst = {"recall": min, "false_boxes_all": max, "point_error": max}
    return {"min_score": min_score} | {
        name: float(pick(part[name] for part in metrics)) for name, pick in worst.items()
    }


def _choose_threshold(images: Sequence[Annotations], found: Sequence[FaceArrays]) -> float:
    """Choose the lowest score above which there are at most ``MAX_FPPI`` false positives per image."""
    false = [
        faces.scores[match_image(faces, image).false_positives] for faces, image in zip(found, images, strict=True)
    ]
    ranked = -np.sort(-np.concatenate(false))
    allowed = int(MAX_FPPI * len(found))
    return round(float(ranked[allowed]) + 1e-3, 3) if len(ranked) > allowed else MIN_SCORE


def _is_close(float32: dict[str, float], int8: dict[str, float]) -> bool:
    return (
        float32["recall"] - int8["recall"] <= MAX_INT8_RECALL_LOSS
        and int8["point_error"] - float32["point_error"] <= MAX_INT8_NME_LOSS
    )
