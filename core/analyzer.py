"""How a frame becomes an answer: detect, crop, estimate, lessen what a poor crop cannot carry, assemble.

frame (H, W, 3) uint8 BGR -> detections -> one batch of crops for each network -> one Face a detection

What a poor crop cannot carry is judged by the same limits for every network. They were derived with ours, but describe
the picture of a face and not the network that reads it: a blurred face is blurred for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.attributes.alignment import align_faces, alignment_square
from core.attributes.catalog import load_networks
from core.attributes.estimator import Estimator
from core.attributes.postprocessing import postprocess_outputs
from core.attributes.quality import QualitySettings, blend_with_uniform, installed_settings, quality_score
from core.detection import DEFAULT_DETECTOR, FaceDetector, create_detector
from core.errors import ConfigError
from core.settings import DEFAULT_NETWORKS, Attributes, DetectorSettings, NetworkChoice
from core.types import AgeEstimate, Analysis, Box, Detection, EmotionEstimate, Face, GenderEstimate

SERVED_ARTIFACTS = tuple(dict.fromkeys(DEFAULT_NETWORKS.by_attribute.values()))
"""The artifacts that answer unless others are chosen."""

Answers = dict[str, NDArray[np.float64]]


class FaceAnalyzer:
    """Finds the faces of a frame and reads their attributes. Safe to share between threads."""

    def __init__(
        self, detector: FaceDetector, networks: Mapping[str, Estimator], usability: QualitySettings | None = None
    ) -> None:
        """``networks``: attribute -> the network that answers it; one without a network is not read. ``usability``
        lowers the confidence on crops that show no usable face; ``None`` leaves it as it is. Raises ``ConfigError`` if
        a network does not answer its attribute."""
        self._detector = detector
        self._networks = _once_each(networks)
        self._usability = usability
        cards = {attribute: network.card for attribute, network in networks.items()}
        self._card_minimums = {name: card.min_confidence.get(name, 0.0) for name, card in cards.items()}

    @classmethod
    def default(
        cls,
        detector: DetectorSettings = DetectorSettings(),
        detector_name: str = DEFAULT_DETECTOR,
        networks: NetworkChoice = DEFAULT_NETWORKS,
    ) -> FaceAnalyzer:
        """The detector and the chosen networks. Raises ``ArtifactError``, ``DetectorError`` or ``ConfigError``."""
        finder = create_detector(detector_name, detector)
        return cls(finder, load_networks(networks), installed_settings())

    def analyze(
        self,
        frame: NDArray[np.uint8],
        attributes: Attributes = Attributes(),
    ) -> Analysis:
        """(H, W, 3) uint8 BGR -> every face with the chosen attributes, from left to right. The frame is not changed.

        ``stage_ms`` of the result has the milliseconds of ``detect``, ``crop``, ``usability`` and each network by the
        name on its card.
        """
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or 0 in frame.shape:
            raise ValueError(f"frame must be a non-empty (H, W, 3) uint8 BGR array, got {frame.shape} {frame.dtype}")
        clock = _StageClock()
        detections = sorted(self._detector.detect(frame), key=lambda detection: detection.box.x1)
        clock.lap("detect")
        outputs = self._estimate(frame, detections, attributes, clock)
        minimums = self._card_minimums | attributes.min_confidence
        faces = tuple(_face(found, row, outputs, minimums) for row, found in enumerate(detections))
        height, width = frame.shape[:2]
        return Analysis(width, height, faces, clock.total_ms(), clock.stage_ms)

    def warm_up(self) -> None:
        """Run everything once, so that the first real frame is as fast as the others."""
        blank = np.zeros((96, 128, 3), np.uint8)
        self._detector.detect(blank)
        self._estimate(blank, [Detection(Box(16, 16, 80, 80), 1.0)], Attributes(), _StageClock())

    def _estimate(
        self, frame: NDArray[np.uint8], detections: Sequence[Detection], attributes: Attributes, clock: _StageClock
    ) -> Answers:
        outputs: Answers = {}
        for network, answered in self._networks:
            wanted = answered & attributes.read
            if not detections or not wanted:
                continue
            card = network.card
            crops = align_faces(frame, detections, card.crop, card.input_size, card.channels)
            clock.lap("crop")
            answers = postprocess_outputs(network.predict(crops), card.temperature, card.age_calibration)
            clock.lap(card.name)
            doubted = wanted & {"emotion", "gender"}
            if self._usability is not None and doubted:
                sides_px = [alignment_square(face, card.crop)[1] for face in detections]
                share = quality_score(detections, crops, sides_px, self._usability)
                answers |= {name: blend_with_uniform(answers[name], share) for name in doubted}
                clock.lap("usability")
            outputs |= {name: answers[name] for name in wanted}
        return outputs


def _once_each(networks: Mapping[str, Estimator]) -> tuple[tuple[Estimator, frozenset[str]], ...]:
    """Each network with the attributes that are taken from it."""
    for attribute, network in networks.items():
        if attribute not in network.card.attributes:
            answered = ", ".join(network.card.attributes)
            raise ConfigError(f"the network {network.card.name} answers {answered}, not {attribute}: choose another")
    return tuple(
        (network, frozenset(attribute for attribute, other in networks.items() if other is network))
        for network in dict.fromkeys(networks.values())
    )


def _face(detection: Detection, row: int, outputs: Answers, minimums: Mapping[str, float]) -> Face:
    def answer(name: str) -> tuple[float, ...] | None:
        return tuple(outputs[name][row].tolist()) if name in outputs else None

    emotion, age, gender = answer("emotion"), answer("age"), answer("gender")
    return Face(
        detection,
        emotion=EmotionEstimate(emotion, minimums.get("emotion", 0.0)) if emotion else None,
        age=AgeEstimate(*age) if age else None,
        gender=GenderEstimate(gender, minimums.get("gender", 0.0)) if gender else None,
    )


class _StageClock:
    """Milliseconds since the previous lap, added up by stage."""

    def __init__(self) -> None:
        self.stage_ms: dict[str, float] = {}
        self._start_s = self._last_s = time.perf_counter()

    def lap(self, stage: str) -> None:
        now_s = time.perf_counter()
        self.stage_ms[stage] = self.stage_ms.get(stage, 0.0) + (now_s - self._last_s) * 1000
        self._last_s = now_s

    def total_ms(self) -> float:
        return (time.perf_counter() - self._start_s) * 1000
