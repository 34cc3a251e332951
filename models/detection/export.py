"""Turn a finished detector run into an artifact; ``python -m models export face_detector`` calls it.

Writes ``model.keras``, a LiteRT model for any input size (float32, or int8 where it finds as many faces), and the card
with the score threshold, chosen on the validation split. Metrics on the test split are added by
``python -m models.evaluate detector --store``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

import cv2
import keras
import numpy as np
import tensorflow as tf
from ai_edge_quantizer import qtyping, quantizer

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
from models.exporting.model_card import joined_history, new_card, rounds_of, write_card
from models.training.config import TrainConfig
from models.training.runs import weights_to_export

MAX_INT8_RECALL_LOSS = 0.003
MAX_INT8_NME_LOSS = 0.002
MAX_FPPI = 0.12
"""False positives per image on the validation split; the test split may be a little harder."""
CALIBRATION_PHOTOS = 200
_CALIBRATION_WH = (320, 240)
_INT8_OPERATIONS = (
    qtyping.TFLOperationName.CONV_2D,
    qtyping.TFLOperationName.DEPTHWISE_CONV_2D,
    qtyping.TFLOperationName.ADD,
)


def export_detector(config: TrainConfig, data_dir: Path, run: Path, folder: Path) -> Path:
    """Write the artifact of ``run`` to ``folder`` and return it."""
    data = load_faces(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    model = registry.build(config.architecture, **config.architecture_arguments)
    model.set_weights(weights_to_export(config, run))
    model.save(folder / KERAS_FILE)
    (folder / HISTORY_FILE).write_text(joined_history(rounds_of(config, run)), encoding="utf-8")
    card = new_card(config, run, model.count_params())
    with tempfile.TemporaryDirectory() as temporary:
        files = {name: Path(temporary) / f"{name}.tflite" for name in ("float32", "int8")}
        files["float32"].write_bytes(to_float32(model))
        to_int8(files["float32"], data.splits["train"], files["int8"])
        exports = {
            name: {"bytes": file.stat().st_size} | measure_file(file, data.splits["validation"])
            for name, file in files.items()
        }
        served = "int8" if _close_enough(exports["float32"], exports["int8"]) else "float32"
        shutil.copyfile(files[served], folder / SERVED_FILE)
    card["exports"] = {"compared_on": "validation", "served": served} | exports
    card["min_score"] = exports[served]["min_score"]
    write_card(folder, card)
    return folder


def to_float32(model: keras.Model) -> bytes:
    """A LiteRT model whose signature ``serving_default`` takes ``image`` (1, H, W, 3) uint8, multiples of 16."""
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serving_default",
        lambda image: model(tf.cast(image, tf.float32), training=False),
        input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="image")],
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def to_int8(float32_file: Path, photos: tuple[FacePhoto, ...], int8_file: Path) -> None:
    """Quantise convolutions and sums to int8, calibrated on ``photos`` at 320x240; the outputs stay float32."""
    converter = quantizer.Quantizer(str(float32_file))
    for operation in _INT8_OPERATIONS:
        converter.add_static_config(regex=".*", operation_name=operation, activation_num_bits=8, weight_num_bits=8)
    rows = np.random.default_rng(0).permutation(len(photos))[:CALIBRATION_PHOTOS]
    images = [cv2.resize(photos[row].image, _CALIBRATION_WH, interpolation=cv2.INTER_LINEAR) for row in rows]
    statistics = converter.calibrate({"serving_default": [{"image": image[None]} for image in images]})
    converter.quantize(statistics).export_model(str(int8_file), overwrite=True)


def measure_file(file: Path, photos: Sequence[FacePhoto]) -> dict[str, float]:
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


def _close_enough(float32: dict[str, float], int8: dict[str, float]) -> bool:
    return (
        float32["recall"] - int8["recall"] <= MAX_INT8_RECALL_LOSS
        and int8["point_error"] - float32["point_error"] <= MAX_INT8_NME_LOSS
    )
