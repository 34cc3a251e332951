"""Turn a detector run into an artifact.

    python -m models detector-export --run DIR --photos DIR --data DIR

Writes ``model.keras``, a float32 LiteRT model for any input size (int8 takes as long and its scores scatter more),
``history.csv`` and the card with the score threshold, chosen on the validation splits. Metrics on the test split are
added by ``python -m models.evaluate detector --store``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from core.artifacts.model_card import ARTIFACTS_DIR, DETECTOR_ARTIFACT, HISTORY_FILE, KERAS_FILE, SERVED_FILE
from core.datasets.faces import load_faces
from core.detection.base import FaceArrays
from core.detection.pyramid import FaceNetwork, PyramidDetector
from core.evaluation.detection.matching import inter_ocular_distances, match_image, normalized_errors
from core.evaluation.detection.metrics import condition_report, threshold_for_fppi
from core.evaluation.detection.runner import detect_photos
from core.settings import LIVE_DETECTOR
from models.architectures import face_detector
from models.cli import add_data, report_left_out, run
from models.detection.labels import FACE
from models.detection.photo_cache import PhotoCache
from models.detection.runs import RECIPE_FILE, WEIGHTS_FILE, history_csv, load_weights
from models.exporting.model_card import renew_texts, write_card
from models.exporting.quantization import to_float32

MAX_FPPI, MAX_FPPI_WITHOUT_PEOPLE = 0.08, 0.06
"""False positives per image on the validation split of ``faces``, and on photographs without people."""
MIN_SCORE = 0.15


def export_detector(run_folder: Path, photos: Path, data_dir: Path, folder: Path) -> None:
    """Write the artifact of ``run_folder`` to ``folder``; ``photos`` is the cache that it was trained on."""
    folder.mkdir(parents=True, exist_ok=True)
    model = face_detector.build()
    for layer, weights in load_weights(run_folder / WEIGHTS_FILE).items():
        model.get_layer(layer).set_weights(weights)
    model.save(folder / KERAS_FILE)
    (folder / SERVED_FILE).write_bytes(to_float32(model))
    (folder / HISTORY_FILE).write_text(history_csv(run_folder), encoding="utf-8")
    chosen = choose_threshold(FaceNetwork((folder / SERVED_FILE).read_bytes()), data_dir, photos)
    recipe = json.loads((run_folder / RECIPE_FILE).read_text(encoding="utf-8"))
    sources, counts = np.unique(PhotoCache(photos).sources, return_counts=True)
    card = {
        "name": folder.name,
        "title": "",
        "task": "detection",
        "architecture": "face_detector",
        "parameters": model.count_params(),
        "input": {"size": 256, "channels": 3, "dtype": "uint8", "colour_order": "BGR"},
        "metrics": {"validation": chosen},
        "min_score": chosen["min_score"],
        "training": {"recipe": recipe, "backend": "torch"},
        "data": {"samples": dict(zip(sources.tolist(), counts.tolist(), strict=True))},
    }
    write_card(folder, renew_texts(card))


def choose_threshold(network: FaceNetwork, data_dir: Path, photos: Path) -> dict[str, float]:
    """Choose the strictest score threshold of photo settings, live settings and photographs without people; returns
    all three, and what the network reaches on the validation splits with the chosen one."""
    data = load_faces(data_dir, only="validation")
    report_left_out(data)
    faces = data.splits["validation"]
    images = [photo.annotations for photo in faces]
    loose = PyramidDetector(network, MIN_SCORE)
    found = detect_photos(loose, faces)
    thresholds = {}
    for name, runs in (
        ("photos", found),
        ("live", detect_photos(PyramidDetector(network, MIN_SCORE, LIVE_DETECTOR), faces)),
    ):
        false = [
            part.scores[match_image(part, image).false_positives] for part, image in zip(runs, images, strict=True)
        ]
        thresholds[name] = threshold_for_fppi(false, MAX_FPPI)
    natural = PhotoCache(photos, ("validation",), ("natural",))
    # YuNet sees something in the others, which may be a person after all.
    rows = [row for row in range(len(natural)) if not len(natural.faces(row))]
    false = [np.array([face.score for face in loose.detect(natural.image(row))]) for row in rows]
    thresholds["natural"] = threshold_for_fppi(false, MAX_FPPI_WITHOUT_PEOPLE)
    min_score = round(max(MIN_SCORE, *thresholds.values()), 3)
    report = condition_report(images, [part.take(part.scores >= min_score) for part in found])
    return {
        "min_score": min_score,
        **{f"min_score_{name}": round(score, 4) for name, score in thresholds.items()},
        "recall": report.recall.value,
        "fppi": report.fppi,
        "nme": measure_nme(PyramidDetector(network, min_score), PhotoCache(photos, ("validation",), ("aaf",))),
    }


def measure_nme(detector: PyramidDetector, portraits: PhotoCache) -> float:
    """Measure the mean landmark error in inter-ocular distances on portraits of one face, where it is found."""
    errors = []
    for row in range(len(portraits)):
        labelled = portraits.faces(row)
        exact = labelled.landmarks[labelled.scores == FACE][:1]
        center = exact.mean(axis=(0, 1))
        found = FaceArrays.from_detections(detector.detect(portraits.image(row)))
        hits = np.all((found.xyxy[:, :2] <= center) & (center <= found.xyxy[:, 2:]), axis=1)
        if hits.any():
            errors.append(normalized_errors(found.landmarks[hits][:1], exact, inter_ocular_distances(exact)).mean())
    return float(np.mean(errors))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models detector-export", description="Make an artifact from a detector run."
    )
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="what detector-train wrote")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="what detector-photos wrote")
    add_data(parser, "faces/")
    parser.add_argument("--artifact", type=Path, default=ARTIFACTS_DIR / DETECTOR_ARTIFACT, metavar="DIR")
    return run(parser, lambda o: export_detector(o.run, o.photos, o.data, o.artifact), arguments)


if __name__ == "__main__":
    sys.exit(main())
