"""OpenCV's YuNet (Wu, Peng & Yu 2023) with a network file that the user supplies: it is not part of this repository.

The file is ``face_detection_yunet_2023mar.onnx`` of OpenCV Zoo (MIT licence), or another of its ``yunet`` versions. It
finds faces between about 10 and 300 px in the copy that is searched, so very large ones need a smaller copy.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import DetectorError
from core.runtime.pool import Pool
from core.settings import DetectorSettings
from core.types import Box, Detection, Landmarks

FOLDER = Path(__file__).resolve().parents[2] / "models" / "external"
FILE_NAME = "face_detection_yunet_2023mar.onnx"
OTHER_VERSIONS = "face_detection_yunet*.onnx"
ENVIRONMENT = "FACET_YUNET"

_ADVICE = (
    f"YuNet is not part of this repository: take {FILE_NAME} (MIT licence, 230 kB) from models/face_detection_yunet of "
    f"OpenCV Zoo and put it into models/external, or let the environment variable {ENVIRONMENT} name it."
)
_SMALLEST_SIDE_PX = 10
_COLUMNS = 15


class Network(Protocol):
    """What is used of ``cv2.FaceDetectorYN``. Not for two threads at once."""

    def setInputSize(self, input_size: tuple[int, int]) -> None: ...  # noqa: N802, OpenCV's name

    def detect(self, image: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32] | None]:
        """(H, W, 3) uint8 BGR -> any number, and (N, 15) or None: x, y, width, height; right eye, left eye, nose tip,
        right and left corner of the mouth, the person's own right and left; score."""
        ...


def open_network(content: bytes, min_score: float) -> Network:
    """``content`` of the ONNX file. Raises ``cv2.error`` if OpenCV cannot read it."""
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
        """Raises ``DetectorError`` if the file is missing or no YuNet. Without ``file``, see ``yunet_file``."""
        self._settings = settings
        self._file = file or yunet_file()
        try:
            self._content = self._file.read_bytes()
        except OSError as error:
            raise DetectorError(f"{self._file} cannot be read ({error.strerror}). {_ADVICE}") from error
        self._open = open_network
        self._networks = self._checked()

    def detect(self, frame: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """(H, W, 3) uint8 BGR -> detections with landmarks in frame pixels, best score first."""
        height, width = frame.shape[:2]
        zoom = min(1.0, self._settings.max_side_px / max(height, width))
        wide, high = round(width * zoom), round(height * zoom)
        if min(wide, high) < _SMALLEST_SIDE_PX:
            return ()
        if zoom < 1.0:
            frame = np.asarray(cv2.resize(frame, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
        rows = _search(self._networks, frame)
        rows[:, :14] *= np.tile([width / wide, height / high], 7)
        usable = np.isfinite(rows).all(axis=1)
        smallest_px = self._settings.smallest_face_px(max(height, width))
        large = np.sqrt(np.clip(rows[:, 2:4], 0, None).prod(axis=1)) >= smallest_px
        best_first = sorted(rows[usable & large].tolist(), key=lambda row: -row[14])
        return tuple(_detection(row) for row in best_first)

    def _checked(self) -> Pool[Network]:
        """The network was run once: a file may be a network and yet not this one."""
        try:
            # A network keeps its input size and scratch buffers, so no two calls may share one.
            networks = Pool(lambda: self._open(self._content, min_score(self._settings.sensitivity)))
            _search(networks, np.zeros((64, 64, 3), np.uint8))
            return networks
        except (cv2.error, ValueError) as error:
            raise DetectorError(
                f"{self._file} ({len(self._content)} bytes) is no YuNet that OpenCV {cv2.__version__} can run; one of "
                f"a few hundred bytes is a Git LFS pointer instead of the file. {_ADVICE}"
            ) from error


def _search(networks: Pool[Network], image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N, 15), see ``Network.detect``."""
    with networks.borrow() as network:
        network.setInputSize((image.shape[1], image.shape[0]))
        _, rows = network.detect(image)
    return np.empty((0, _COLUMNS)) if rows is None else np.asarray(rows, np.float64).reshape(-1, _COLUMNS)


def yunet_file() -> Path:
    """The file that ``FACET_YUNET`` names, else the one in ``models/external``. Raises ``DetectorError`` if there is
    none."""
    named = os.environ.get(ENVIRONMENT, "").strip()
    usual = FOLDER / FILE_NAME
    file = Path(named).expanduser() if named else usual
    if not named and not file.is_file():
        file = max(FOLDER.glob(OTHER_VERSIONS), default=usual)
    if not file.is_file():
        source = f", which {ENVIRONMENT} names," if named else ""
        raise DetectorError(f"{file}{source} is missing. {_ADVICE}")
    return file


def min_score(sensitivity: float) -> float:
    """Score from which a face counts: 0.9 at sensitivity 0, 0.7 in the middle, 0.5 at 1."""
    return 0.9 - 0.4 * sensitivity


def _detection(row: list[float]) -> Detection:
    """See ``Network.detect``. The person's right is the viewer's left, so the order of the points stays."""
    x, y, width, height = row[:4]
    points = ((row[i], row[i + 1]) for i in range(4, 14, 2))
    return Detection(Box(x, y, x + width, y + height), min(max(row[14], 0.0), 1.0), Landmarks(*points))
