"""Weights of ``models.detection.train_pyramid`` -> an artifact folder that the app can serve.

    python -m models.detection.export_pyramid --weights RUN/last.npz --data data --cache FOLDER --folder ARTIFACT

Writes ``model.keras``, the LiteRT model for pictures of any size and the card with the score from which a box counts,
which validation splits decide. float32: int8 takes as long in LiteRT here and scores scatter more.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

from core.artifact import CARD_FILE, HISTORY_FILE, KERAS_FILE, SERVED_FILE, sha256_of
from core.datasets.faces import load_faces
from core.detection.pyramid import LIVE_SEARCH, PyramidDetector, PyramidNetwork, PyramidSearch
from core.evaluation import detector_floors as floors
from models.architectures import face_detector_pyramid
from models.card_texts import INTENDED_USE, LICENSE
from models.detection import weight_file
from models.detection.export import to_float32
from models.detection.train_pyramid_log import history_csv
from models.detection.training_photos import PhotoCache

FPPI, NOBODY_FPPI = 0.10, 0.03
LEAST_SCORE = 0.15

_TITLE = "Face detector on three levels, five landmarks"
_DATASET = (
    "Web and street photographs (Caltech 10,000 Web Faces and mask photographs) and group photographs with boxes and "
    "landmarks by people; portraits of FairFace (training side), UTKFace (training side) and All-Age-Faces (training "
    "rows, with their own landmarks); 900 photographs of things and animals, one an ImageNet class, and 450 of the "
    "Berkeley segmentation set, as pictures of nobody. Where no person marked a face, boxes and landmarks are the mean "
    "of OpenCV's YuNet over several views: good "
    "to learn from, but no ground truth. Landmarks follow All-Age-Faces' convention."
)
_LIMITS = (
    "Finds faces from about 12 pixels in the searched copy to larger than the picture. Expect misses for faces turned "
    "away by more than a profile, turned in the plane by more than 60 degrees in live video, and strongly covered. It "
    "finds faces; it does not tell whose."
)


def keras_model(weights: weight_file.Weights) -> keras.Model:
    model = face_detector_pyramid.build()
    for name, values in weights.items():
        model.get_layer(name).set_weights(values)
    return model


def validation_figures(file: Path, data: Path, cache: Path) -> dict[str, float]:
    """The threshold, and what is found at it, on validation splits."""
    network = PyramidNetwork(file.read_bytes())
    photos = load_faces(data, only="validation").sides["validation"]
    loose = PyramidDetector(network, LEAST_SCORE, PyramidSearch(turned=False))
    live = PyramidDetector(network, LEAST_SCORE, LIVE_SEARCH)
    found = [floors.faces_of(loose, photo.image) for photo in photos]
    found_live = [floors.faces_of(live, photo.image) for photo in photos]
    thresholds = [floors.score_for_fppi(one, photos, FPPI) for one in (found, found_live)]
    nobody = PhotoCache(cache, ("validation",), ("natural",))
    scores = [loose.faces(nobody.image(row))[0] for row in range(len(nobody)) if not len(nobody.faces(row).sure)]
    ranked = np.sort(np.concatenate([one.scores for one in scores]))[::-1]
    allowed = int(NOBODY_FPPI * len(scores))
    thresholds.append(float(ranked[allowed]) + 1e-4 if len(ranked) > allowed else LEAST_SCORE)
    min_score = round(max(thresholds), 3)
    web = floors.web_figures([floors.above(one, min_score) for one in found], photos)
    portraits = PhotoCache(cache, ("validation",), ("aaf",))
    exact = []
    for row in range(len(portraits)):
        faces = portraits.faces(row)
        exact.append(floors.LandmarkPortrait(portraits.image(row), faces.points[int(np.argmax(faces.sure))]))
    detector = PyramidDetector(network, min_score, PyramidSearch(turned=False))
    landmarks = floors.landmark_figures(detector, exact)
    return {
        "min_score": min_score,
        "min_score_photos": round(thresholds[0], 4),
        "min_score_live": round(thresholds[1], 4),
        "min_score_nobody": round(thresholds[2], 4),
        "recall": web["recall"],
        "fppi": web["fppi"],
        "nme": landmarks["nme"],
    }


def export(options: argparse.Namespace) -> None:
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    model = keras_model(weight_file.load(options.weights))
    model.save(folder / KERAS_FILE)
    (folder / SERVED_FILE).write_bytes(to_float32(model))
    chosen = validation_figures(folder / SERVED_FILE, options.data, options.cache)
    print(json.dumps(chosen), file=sys.stderr)
    (folder / HISTORY_FILE).write_text(history_csv(options.weights.parent), encoding="utf-8")
    card = _card(folder.name, model.count_params(), options)
    card["metrics"] = {"validation": chosen}
    card["min_score"] = chosen["min_score"]
    names = (SERVED_FILE, KERAS_FILE, HISTORY_FILE)
    card["files"] = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)} for name in names
    }
    (folder / CARD_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _card(name: str, parameters: int, options: argparse.Namespace) -> dict[str, Any]:
    train = PhotoCache(options.cache, ("train",))
    recipe = json.loads((options.weights.parent / "recipe.json").read_text())
    sources, counts = np.unique(train.sources, return_counts=True)
    return {
        "name": name,
        "title": _TITLE,
        "task": "detection",
        "architecture": "face_detector_pyramid",
        "parameters": parameters,
        "input": {"size": 256, "channels": 3, "dtype": "uint8", "colour_order": "BGR"},
        "metrics": {},
        "training": {"recipe": recipe, "backend": "torch"},
        "data": {"dataset": _DATASET, "samples": dict(zip(sources.tolist(), counts.tolist(), strict=True))},
        "license": LICENSE,
        "intended_use": INTENDED_USE,
        "limits": _LIMITS,
        "not_included": {},
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.detection.export_pyramid", description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    export(parser.parse_args(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
