"""A teacher's answers about emotion: for FER2013's training images, and for packed faces that have no such label.

The file is what ``models.training.teacher`` reads. The teacher is an installed artifact, which answers with several
views of each face; a network that learns from it sees other crops of the same faces.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.artifacts.model_card import artifacts_dir
from core.attributes.alignment import align_faces, align_views, make_views
from core.attributes.estimator import LiteRTEstimator
from core.attributes.postprocessing import apply_temperature, average_views
from core.datasets.splits import load_fer2013
from core.evaluation.predict import predict_images
from core.settings import ViewSettings
from models.cli import add_data, run
from models.faces.augmentation import FaceAugmentation
from models.faces.packing import PackedFaces, detection_around, load_packed
from models.training.teacher import EMOTION_TEACHER_FILE, TeacherAnswers, save_answers

_VIEWS = ViewSettings().count
_SCATTER = FaceAugmentation().landmark_scatter
_LUMA = np.array([0.114, 0.587, 0.299])
_USUAL_GREY = 0.5
"""Probability of the usual weights of blue, green and red; others are drawn at random."""


def answer_faces(faces: PackedFaces, estimator: LiteRTEstimator, seed: int = 0) -> TeacherAnswers:
    """Ask the teacher about all training faces with landmarks; ids are ``source/name``."""
    rows = [row for row in range(len(faces)) if faces.split[row] == "train" and np.isfinite(faces.landmarks[row]).all()]
    size, spec, views = estimator.card.input_size, estimator.card.crop, make_views(_VIEWS)
    crops = np.empty((len(rows), size, size, 1), np.uint8)
    answers = []
    for number, row in enumerate(tqdm(rows, desc="faces", mininterval=10)):
        rng = np.random.default_rng((seed, row))
        image, landmarks = faces.images[row], faces.landmarks[row].astype(np.float64)
        seen = align_views(image, [detection_around(landmarks)], spec, size, 1, views).crops
        answers.append(average_views(estimator.predict(seen), _VIEWS)["emotion"])
        eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
        scattered = landmarks + rng.uniform(0, _SCATTER) * eyes * rng.standard_normal((5, 2))
        colour = align_faces(image, [detection_around(scattered)], spec, size, 3).crops[0]
        crops[number] = _to_grey(colour, rng)
    ids = np.array([f"{faces.source[row]}/{faces.name[row]}" for row in rows])
    return TeacherAnswers(ids, crops, _calibrated(np.concatenate(answers), estimator))


def answer_labelled(data_dir: Path, estimator: LiteRTEstimator) -> TeacherAnswers:
    """Ask the teacher about FER2013's training images; it has learnt from them."""
    train = load_fer2013(data_dir).splits["train"]
    with tqdm(total=len(train), desc="FER2013", mininterval=10) as bar:
        outputs = predict_images(
            estimator, train.images, lambda share: bar.update(round(share * len(train)) - bar.n), views=_VIEWS
        )
    return TeacherAnswers(train.ids, train.images[:0], _calibrated(outputs["emotion"], estimator))


def _calibrated(probabilities: NDArray[np.float32], estimator: LiteRTEstimator) -> NDArray[np.float32]:
    temperature = estimator.card.for_views(_VIEWS).temperature.get("emotion", 1.0)
    return np.asarray(apply_temperature(probabilities, temperature), np.float32)


def _to_grey(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    weights = _LUMA if rng.random() < _USUAL_GREY else rng.dirichlet(np.ones(3))
    return np.asarray(np.rint(crop @ weights), np.uint8)[..., None]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models teach", description="Write a teacher's answers on emotion.")
    parser.add_argument("packed", type=Path, help="folder that python -m models pack has written")
    add_data(parser, "FER2013; the answers are written there")
    parser.add_argument("--artifact", default="emotion", help="the teacher (default: emotion)")
    return run(parser, _teach, arguments)


def _teach(options: argparse.Namespace) -> None:
    estimator = LiteRTEstimator(artifacts_dir() / options.artifact)
    labelled = answer_labelled(options.data, estimator)
    unlabelled = answer_faces(load_packed(options.packed), estimator)
    save_answers(options.data / EMOTION_TEACHER_FILE, labelled, unlabelled)
    print({"labelled": len(labelled.ids), "unlabelled": len(unlabelled.ids)})


if __name__ == "__main__":
    sys.exit(main())
