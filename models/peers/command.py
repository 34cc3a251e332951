"""Measure published packages on Facet's test images: ``python -m models peers --data DIR --npm DIR``.

Each network is fed with the same images as Facet's, and gets what its own package makes of them (``adapters``). Its
predictions, a card and its time per face are stored in ``models/artifacts`` as those of other networks are, so all
tables and pages can show them; weights are not. Answers stay as the package gives them: confidences are not calibrated.
Only the age interval, which no package has, is fitted on the validation split as for Facet's networks.

Packages of PyPI: ``pip install --no-deps -r requirements-peers.txt``. Those of npm: ``npm pack @vladmandic/human@3.3.6
@vladmandic/face-api@1.7.15 --pack-destination DIR``.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core.artifacts.model_card import PREDICTIONS_FILE, ModelCard, artifacts_dir
from core.artifacts.package import ListedFile
from core.artifacts.storage import to_json
from core.datasets.loading import read_split
from core.datasets.samples import Samples, fingerprint
from core.errors import ConfigError, DatasetError
from core.evaluation.latency import IMAGES, RUNS, NetworkSpeed, cpu_name, noise_crops, save_speed
from core.evaluation.metrics import summary_metrics
from core.evaluation.predict import predict_images, predictions_from_outputs
from core.evaluation.predictions import Predictions, load_predictions, save_predictions
from core.runtime.timing import median_ms, single_thread
from core.tasks import TASKS
from models.cli import add_data, run
from models.evaluate import describe_predictions, show_progress
from models.exporting.card_texts import INTENDED_USE, LIMITS
from models.exporting.model_card import read_alignment, write_card
from models.measuring.calibration import fit_calibration
from models.peers.adapters import Files, Predict
from models.peers.catalog import PEERS, Peer
from models.peers.packages import read_package


@dataclass(frozen=True)
class _PeerModel:
    """A ``CropModel``."""

    answer: Predict

    def predict(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        return self.answer(crops)


def measure_peer(peer: Peer, files: Files, data_dir: Path) -> dict[str, Predictions]:
    """Predict the validation and the test split of the peer's task and store everything in its folder.

    Raises ``DatasetError`` unless ``data_dir`` has exactly the images that Facet's network was measured on.
    """
    task, folder = TASKS[peer.task], artifacts_dir() / peer.name
    model = _PeerModel(peer.load(files))
    own = load_predictions(artifacts_dir() / peer.task / PREDICTIONS_FILE)
    samples, outputs = {}, {}
    for split in (task.validation_split.name, task.test_split.name):
        samples[split] = _read_same_images(data_dir, peer, split, own[split])
        outputs[split] = predict_images(model, samples[split].images, show_progress(f"{peer.title}, {split}"))
    validation = task.validation_split.name
    card = describe_peer(peer, files)
    if "age" in task.attributes:
        fitted = fit_calibration(outputs[validation], samples[validation].labels)
        card |= {"age_calibration": fitted["age_calibration"]}
    calibration = ModelCard.from_dict(card).age_calibration
    predictions = {
        split: predictions_from_outputs(outputs[split], samples[split], task.name, calibration) for split in samples
    }
    folder.mkdir(exist_ok=True)
    save_predictions(folder / PREDICTIONS_FILE, predictions)
    write_card(folder, card | describe_predictions(predictions, ModelCard.from_dict(card), card["data"]))
    save_speed(folder, _time(model, peer))
    return predictions


def describe_peer(peer: Peer, files: Files) -> dict[str, Any]:
    """Build the card without metrics."""
    listed = {name: ListedFile(len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()}
    return {
        "name": peer.name,
        "title": peer.title,
        "task": peer.task,
        "architecture": peer.architecture,
        "parameters": peer.parameters,
        "input": {"size": peer.image_size, "channels": peer.channels, "dtype": "uint8", "colour_order": "BGR"},
        "package": to_json(replace(peer.package, files=listed)),
        "crop": read_alignment(peer.task),
        "metrics": {},
        "claims": [dict(result) for result in peer.reported],
        "training": {},
        "data": {"dataset": peer.learnt_from},
        "license": peer.licence,
        "intended_use": INTENDED_USE,
        "limits": LIMITS[peer.task],
        "files": {},
        "not_included": {},
    }


def _read_same_images(data_dir: Path, peer: Peer, split: str, own: Predictions) -> Samples:
    samples = read_split(data_dir, peer.task, split, own.ids, peer.image_size).samples
    if fingerprint(samples.ids) != fingerprint(own.ids):
        raise DatasetError(
            f"{data_dir} has {len(np.intersect1d(samples.ids, own.ids)):,} of the {len(own):,} images of "
            f"{split!r} that Facet's networks were measured on, so figures would not be comparable"
        )
    return samples


def _time(model: _PeerModel, peer: Peer) -> NetworkSpeed:
    crops = noise_crops(peer.image_size, peer.channels)
    with single_thread():
        # Processor time is the time of one thread also where other programs run.
        ms = median_ms(model.predict, [crops[row : row + 1] for row in range(IMAGES)], RUNS, time.process_time)
    today = datetime.datetime.now().astimezone().date().isoformat()
    return NetworkSpeed(ms, IMAGES, RUNS, cpu_name(), today)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models peers", description="Measure published packages on Facet's test images."
    )
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"default: all of {', '.join(PEERS)}")
    add_data(parser)
    parser.add_argument("--npm", type=Path, default=Path("data/npm"), metavar="DIR", help="folder of `npm pack`")
    return run(parser, _measure, arguments)


def _measure(options: argparse.Namespace) -> None:
    _use_one_thread()
    unknown = sorted(set(options.peers) - set(PEERS))
    if unknown:
        raise ConfigError(f"unknown peers {', '.join(unknown)}: choose from {', '.join(PEERS)}")
    for peer in (PEERS[name] for name in options.peers or PEERS):
        predictions = measure_peer(peer, read_package(peer.package, options.npm, peer.files), options.data)
        metrics = summary_metrics(predictions[TASKS[peer.task].test_split.name])
        print(f"{peer.title:24}", "  ".join(f"{name} {metrics[name]:.4f}" for name in TASKS[peer.task].metrics))


def _use_one_thread() -> None:
    cv2.setNumThreads(1)
    # TensorFlow does not allow it any more once it has run something.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)


if __name__ == "__main__":
    sys.exit(main())
