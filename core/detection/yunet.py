"""OpenCV's YuNet (Wu, Peng & Yu 2023) with a network file that the user supplies: it is not part of this repository.

The file is ``face_detection_yunet_2023mar.onnx`` of OpenCV Zoo (MIT licence), or another of its ``yunet`` versions.
It finds faces between about 10 and 300 px in the image that it is given, so very large faces need a smaller image.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from core import environment
from core.detection.base import LANDMARKS, FaceArrays
from core.errors import DetectorError
from core.runtime.pool import Pool
from core.settings import DetectorSettings
from core.types import Detection

FOLDER = Path(__file__).resolve().parents[2] / "models" / "external"
FILE_NAME = "face_detection_yunet_2023mar.onnx"
OTHER_VERSIONS = "face_detection_yunet*.onnx"

_ADVICE = (
    f"YuNet is not part of this repository: take {FILE_NAME} (MIT licence, 230 kB) from models/face_detection_yunet of "
    f"OpenCV Zoo and put it into models/external, or let the environment variable {environment.YUNET} name it."
)
_SMALLEST_SIDE_PX = 10
_COLUMNS = 15


class Network(Protocol):
    """What is used of ``cv2.FaceDetectorYN``; not thread-safe."""

    def setInputSize(self, input_size: tuple[int, int]) -> None: ...  # noqa: N802, OpenCV's name

    def detect(self, image: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32] | None]:
        """(H, W, 3) uint8 BGR -> any number, and (N, 15) or None: x, y, width, height; right eye, left eye, nose tip,
        right and left corner of the mouth, the person's own right and left; score."""
        ...


def open_network(content: bytes, min_score: float) -> Network:
    """Open the ``content`` of an ONNX file. Raises ``cv2.error`` if OpenCV cannot read it."""
    model, no_config = np.frombuffer(content, np.uint8), np.empty(0, np.uint8)
    network = cv2.FaceDetectorYN.create("onnx", model, no_config, (320, 320), score_threshold=min_score)
    return cast(Network, network)


class YuNetDetector:
    """Faces with five landmarks, tilted and in profile too. ``score`` is YuNet's own, not a calibrated probability."""

    def __init__(
        self,
        settings: DetectorSettings = DetectorSettings(),
        file: Path | None = None,
        open_network: Callable[[bytes, float], Network] = open_network,
    ) -> None:
        """Raises ``DetectorError`` if the file is missing or is not a YuNet. Without ``file``, see ``yunet_file``."""
        self._settings = settings
        self._file = file or yunet_file()
        try:
            self._content = self._file.read_bytes()
        except OSError as error:
            raise DetectorError(f"{self._file} cannot be read ({error.strerror}). {_ADVICE}") from error
        self._open = open_network
        self._networks = self._create_networks()

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """(H, W, 3) uint8 BGR -> detections with landmarks in frame pixels, best score first."""
        height, width = frame.shape[:2]
        zoom = min(1.0, self._settings.max_side_px / max(height, width))
        new_width, new_height = round(width * zoom), round(height * zoom)
        if min(new_width, new_height) < _SMALLEST_SIDE_PX:
            return ()
        if zoom < 1.0:
            frame = np.asarray(cv2.resize(frame, (new_width, new_height), interpolation=cv2.INTER_AREA), np.uint8)
        faces = _search(self._networks, frame).scale((width / new_width, height / new_height))
        large_enough = faces.sizes() >= self._settings.smallest_face_px(max(height, width))
        return faces.take(large_enough).best_first().to_detections()

    def _create_networks(self) -> Pool[Network]:
        """Open the network and run it once, since a readable ONNX file may hold another network."""
        try:
            # A network keeps its input size and scratch buffers, so no two calls may share one.
            networks = Pool(lambda: self._open(self._content, min_score(self._settings.sensitivity)))
            _search(networks, np.zeros((64, 64, 3), np.uint8))
            return networks
        except (cv2.error, ValueError) as error:
            raise DetectorError(
                f"{self._file} ({len(self._content)} bytes) is not a YuNet that OpenCV {cv2.__version__} can run; "
                f"a file of a few hundred bytes is a Git LFS pointer instead of the file. {_ADVICE}"
            ) from error


def _search(networks: Pool[Network], image: NDArray[np.uint8]) -> FaceArrays:
    """Run the network and keep the rows that are finite, in pixels of ``image``."""
    with networks.borrow() as network:
        network.setInputSize((image.shape[1], image.shape[0]))
        _, found = network.detect(image)
    rows = np.empty((0, _COLUMNS)) if found is None else np.asarray(found, np.float64).reshape(-1, _COLUMNS)
    rows = rows[np.isfinite(rows).all(axis=1)]
    xyxy = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
    # The person's right is the viewer's left, so the order of the landmarks stays.
    return FaceArrays(xyxy, rows[:, 14].clip(0.0, 1.0), rows[:, 4:14].reshape(-1, LANDMARKS, 2))


def yunet_file() -> Path:
    """Find the file that ``FACET_YUNET`` names, else one in ``models/external``. Raises ``DetectorError`` if there is
    none."""
    named = environment.read_variable(environment.YUNET)
    usual = FOLDER / FILE_NAME
    file = environment.read_path(environment.YUNET, usual)
    if not named and not file.is_file():
        file = max(FOLDER.glob(OTHER_VERSIONS), default=usual)
    if not file.is_file():
        source = f", which {environment.YUNET} names," if named else ""
        raise DetectorError(f"{file}{source} is missing. {_ADVICE}")
    return file


def min_score(sensitivity: float) -> float:
    """Compute the score threshold: 0.9 at sensitivity 0, 0.7 at 0.5, 0.5 at 1."""
    return 0.9 - 0.4 * sensitivity
