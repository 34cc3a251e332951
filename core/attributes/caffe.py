"""The networks of Levi & Hassner (2015), "Age and Gender Classification using Convolutional Neural Networks".

They run in ``cv2.dnn`` from Caffe files that the user supplies. A pair of files, ``*_deploy.prototxt`` and
``*_net.caffemodel``, predicts one attribute and is an estimator of its own, so either can be there alone.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core import environment
from core.age_groups import AGE_GROUPS
from core.artifacts.model_card import AlignmentSpec, ModelCard
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.types import GENDERS

CAFFE = "caffe"
FOLDER = Path(__file__).resolve().parents[2] / "models" / "caffe"
SIDE_PX = 227
MEAN_BGR = (78.4263377603, 87.7689143744, 114.895847746)
"""Mean of the authors' training images; subtracted from every pixel."""
CROP = AlignmentSpec(scale=1.4)
"""The box with a margin of a fifth of its side: the authors' images show whole heads and are not rotated upright."""

_BATCH = 16
"""Crops per call; more are not faster, and the network keeps the memory of its largest batch."""


@dataclass(frozen=True, slots=True)
class CaffePair:
    """The two files for one attribute, and the network's ``output`` with ``classes`` probabilities."""

    attribute: str
    title: str
    output: str
    classes: int

    @property
    def file_names(self) -> tuple[str, str]:
        """Architecture and weights."""
        return f"{self.attribute}_deploy.prototxt", f"{self.attribute}_net.caffemodel"

    @property
    def advice(self) -> str:
        return (
            f"Caffe networks are not part of this repository: put {' and '.join(self.file_names)} of Levi & Hassner "
            f"(2015) into models/caffe, or let the environment variable {environment.CAFFE} name their folder."
        )


PAIRS = {
    "age": CaffePair("age", "Age group, Levi & Hassner 2015", "age_group", len(AGE_GROUPS)),
    "gender": CaffePair("gender", "Perceived gender, Levi & Hassner 2015", "gender", len(GENDERS)),
}


def caffe_folder() -> Path:
    """Return the folder that ``FACET_CAFFE_DIR`` names, else ``models/caffe``."""
    return environment.read_path(environment.CAFFE, FOLDER)


class CaffeEstimator:
    """One pair of files. Its probabilities are not calibrated."""

    def __init__(self, attribute: str, folder: Path | None = None) -> None:
        """Load the pair for one of ``PAIRS`` from ``folder`` (default: ``caffe_folder``).

        Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file and saying what to put where.
        """
        self._pair = PAIRS[attribute]
        folder = caffe_folder() if folder is None else folder
        contents = [_content(folder / name, self._pair) for name in self._pair.file_names]
        # One network for all threads, used by one at a time: each more would be another 45 MB of weights.
        self._lock = threading.Lock()
        try:
            self._network = cv2.dnn.readNetFromCaffe(*contents)
            self._run(np.zeros((1, SIDE_PX, SIDE_PX, 3), np.uint8))
        except (cv2.error, ValueError) as error:
            raise ArtifactCorruptError(
                f"{' and '.join(self._pair.file_names)} in {folder} ({contents[1].size} bytes of weights) are not a "
                f"network with {self._pair.classes} probabilities that OpenCV {cv2.__version__} can run; one of a few "
                f"hundred bytes is a Git LFS pointer instead of the file. {self._pair.advice}"
            ) from error
        self.card = _card(self._pair, _parameters(self._network))

    def predict(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Predict ``age_group`` (N, 8) or ``gender`` (N, 2) from (N, 227, 227, 3) uint8 BGR crops, see ``Estimator``.

        Raises ``ValueError`` for crops of another shape or dtype.
        """
        if crops.dtype != np.uint8 or crops.shape[1:] != (SIDE_PX, SIDE_PX, 3):
            raise ValueError(f"crops must be (N, {SIDE_PX}, {SIDE_PX}, 3) uint8, got {crops.shape} {crops.dtype}")
        parts = [self._run(crops[start : start + _BATCH]) for start in range(0, len(crops), _BATCH)]
        return {self._pair.output: np.concatenate([np.empty((0, self._pair.classes), np.float32), *parts])}

    def _run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Predict (N, K) from at least one crop. Raises ``cv2.error``, or ``ValueError`` for another kind of output."""
        blob = cv2.dnn.blobFromImages(list(crops), 1.0, (SIDE_PX, SIDE_PX), MEAN_BGR, swapRB=False)
        with self._lock:
            self._network.setInput(blob)
            outputs = np.array(self._network.forward(), np.float32)
        if outputs.shape != (len(crops), self._pair.classes) or not np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
            raise ValueError(f"the network outputs {outputs.shape} instead of probabilities")
        return outputs


def _content(file: Path, pair: CaffePair) -> NDArray[np.uint8]:
    try:
        return np.frombuffer(file.read_bytes(), np.uint8)
    except FileNotFoundError as error:
        raise ArtifactMissingError(f"{file} is missing. {pair.advice}") from error
    except OSError as error:
        raise ArtifactCorruptError(f"{file} cannot be read ({error.strerror}). {pair.advice}") from error


def _parameters(network: cv2.dnn.Net) -> int:
    layers = [network.getLayer(name) for name in network.getLayerNames()]
    return sum(int(blob.size) for layer in layers for blob in layer.blobs)


def _card(pair: CaffePair, parameters: int) -> ModelCard:
    return ModelCard(
        name=f"{CAFFE}_{pair.attribute}",
        title=pair.title,
        task=pair.attribute,
        architecture="levi_hassner",
        parameters=parameters,
        input_size=SIDE_PX,
        channels=3,
        crop=CROP,
        metrics={},
        training={},
        data={},
        files={},
        license="that of the files, which are the user's own",
        intended_use="comparison with the networks of this repository",
        limits="neither trained nor measured here; predictions are not calibrated and never uncertain by default",
    )
