"""Find the faces of a frame and read their attributes: detect, align, predict, lower the confidence of poor faces.

frame (H, W, 3) uint8 BGR -> detections -> one batch of aligned crops per network, one or several views of each face
-> one ``Face`` per detection
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.attributes.alignment import align_views, make_views
from core.attributes.catalog import load_networks
from core.attributes.estimator import Estimator
from core.attributes.postprocessing import AttributeOutputs, average_views, postprocess_outputs
from core.attributes.quality import (
    QualitySettings,
    blend_with_uniform,
    crop_quality,
    face_quality,
    installed_settings,
)
from core.detection import DEFAULT_DETECTOR, FaceDetector, create_detector
from core.detection.orientation import rotate_detection, rotate_frame, search_orientations
from core.errors import ConfigError
from core.settings import (
    DEFAULT_NETWORKS,
    ONE_VIEW,
    Attributes,
    DetectorSettings,
    NetworkChoice,
    ViewSettings,
    default_views,
)
from core.types import AgeEstimate, Analysis, Box, Detection, EmotionEstimate, Face, GenderEstimate


class FaceAnalyzer:
    """Finds the faces of a frame and reads their attributes. Safe to share between threads."""

    def __init__(
        self,
        detector: FaceDetector,
        networks: Mapping[str, Estimator],
        quality: QualitySettings | None = None,
        any_orientation: bool = False,
        views: ViewSettings = ONE_VIEW,
    ) -> None:
        """Combine a detector with one network per attribute; attributes without a network are not read.

        ``quality`` lowers the confidence for low-quality faces; its limits describe the image of a face, so they hold
        for every network. ``any_orientation``: frames may lie on their side or upside down, see
        ``core.detection.orientation``. ``views``: more than one for photographs, see ``ViewSettings``.
        Raises ``ConfigError`` if a network does not predict its attribute.
        """
        self._detector = detector
        self._any_orientation = any_orientation
        self._networks = _group_by_network(networks)
        self._quality = quality
        self._views = views
        self._thresholds = {name: network.card.min_confidence.get(name, 0.0) for name, network in networks.items()}

    @classmethod
    def default(
        cls,
        detector: DetectorSettings = DetectorSettings(),
        detector_name: str = DEFAULT_DETECTOR,
        networks: NetworkChoice = DEFAULT_NETWORKS,
        views: ViewSettings | None = None,
    ) -> FaceAnalyzer:
        """Load a detector and networks, by default for photographs; ``views`` follow from the detector's settings.

        Raises ``ArtifactError``, ``DetectorError`` or ``ConfigError``.
        """
        found = create_detector(detector_name, detector)
        return cls(
            found,
            load_networks(networks),
            installed_settings(),
            detector.any_orientation,
            views or default_views(detector),
        )

    def analyze(self, frame: NDArray[np.uint8], attributes: Attributes = Attributes()) -> Analysis:
        """Analyse a (H, W, 3) uint8 BGR frame: every face with the chosen attributes, from left to right.

        ``stage_ms`` of the result has the milliseconds of ``detect``, ``align``, ``quality`` and each network by the
        name on its card.
        """
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or 0 in frame.shape:
            raise ValueError(f"frame must be a non-empty (H, W, 3) uint8 BGR array, got {frame.shape} {frame.dtype}")
        clock = _StageClock()
        height, width = frame.shape[:2]
        detections, quarter_turns = self._detect(frame)
        clock.lap("detect")
        # Boxes are told in pixels of the frame; alignment and face quality see it upright.
        upright = [rotate_detection(detection, quarter_turns, (width, height)) for detection in detections]
        views = self._views.count_for(len(detections))
        outputs = self._predict(rotate_frame(frame, quarter_turns), upright, attributes, views, clock)
        thresholds = self._thresholds | attributes.min_confidence
        faces = tuple(_face(detection, row, outputs, thresholds) for row, detection in enumerate(detections))
        return Analysis(width, height, faces, clock.total_ms(), clock.stage_ms, 90 * quarter_turns, views)

    def warm_up(self) -> None:
        """Run every model once, so that the first real frame is as fast as the others."""
        blank = np.zeros((96, 128, 3), np.uint8)
        self._detector.detect(blank)
        self._predict(blank, [Detection(Box(16, 16, 80, 80), 1.0)], Attributes(), 1, _StageClock())

    def _detect(self, frame: NDArray[np.uint8]) -> tuple[list[Detection], int]:
        """Find faces, from left to right, and the quarter turns clockwise that bring the frame upright."""
        if self._any_orientation:
            found, quarter_turns = search_orientations(self._detector, frame)
        else:
            found, quarter_turns = self._detector.detect(frame), 0
        return sorted(found, key=lambda detection: detection.box.x1), quarter_turns

    def _predict(
        self,
        frame: NDArray[np.uint8],
        detections: Sequence[Detection],
        attributes: Attributes,
        views: int,
        clock: _StageClock,
    ) -> AttributeOutputs:
        """Run the networks of the wanted attributes on all faces, and lower the confidence of low-quality ones."""
        quality = self._quality
        # Pose and detection score are the same for every network; sharpness and size depend on its crops.
        face_scores = np.ones(len(detections)) if quality is None else face_quality(detections, quality)
        probabilities: dict[str, NDArray[np.float64]] = {}
        age = None
        for network, provided in self._networks:
            wanted = provided & attributes.read
            if not detections or not wanted:
                continue
            card = network.card
            crops = align_views(frame, detections, card.crop, card.input_size, card.channels, make_views(views))
            clock.lap("align")
            raw = average_views(network.predict(crops.crops), views)
            calibrated = card.for_views(views)
            outputs = postprocess_outputs(raw, calibrated.temperature, calibrated.age_calibration)
            clock.lap(card.name)
            age = outputs.age if "age" in wanted else age
            classes = {name: outputs.probabilities[name] for name in wanted - {"age"}}
            if classes and quality is not None:
                scores = np.minimum(face_scores, crop_quality(crops.crops[::views], crops.sides_px[::views], quality))
                classes = {name: blend_with_uniform(values, scores) for name, values in classes.items()}
                clock.lap("quality")
            probabilities |= classes
        return AttributeOutputs(probabilities, age)


def _group_by_network(networks: Mapping[str, Estimator]) -> tuple[tuple[Estimator, frozenset[str]], ...]:
    """Return each network once, with the attributes that it is used for."""
    for attribute, network in networks.items():
        if attribute not in network.card.attributes:
            predicted = ", ".join(network.card.attributes)
            raise ConfigError(f"the network {network.card.name} predicts {predicted}, not {attribute}: choose another")
    return tuple(
        (network, frozenset(attribute for attribute, other in networks.items() if other is network))
        for network in dict.fromkeys(networks.values())
    )


def _face(detection: Detection, row: int, outputs: AttributeOutputs, thresholds: Mapping[str, float]) -> Face:
    classes = {name: tuple(values[row].tolist()) for name, values in outputs.probabilities.items()}
    age = None if outputs.age is None else AgeEstimate(*(float(years[row]) for years in outputs.age))
    return Face(
        detection,
        emotion=EmotionEstimate(classes["emotion"], thresholds["emotion"]) if "emotion" in classes else None,
        age=age,
        gender=GenderEstimate(classes["gender"], thresholds["gender"]) if "gender" in classes else None,
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
