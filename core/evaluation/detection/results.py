"""What detectors found on the test sets: everything that reports are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.datasets.faces import Annotations
from core.detection.base import FaceArrays

Found = Sequence[FaceArrays]
"""Detections of each image, best first, in pixels of the original image."""
Runs = Mapping[str, Found]
"""Name of the run, see ``core.evaluation.detection.conditions`` -> detections."""


@dataclass(frozen=True)
class SetResults:
    """One test set; ``found``: detector -> run -> detections, one entry per image."""

    images: tuple[Annotations, ...]
    found: Mapping[str, Runs]

    def of(self, detector: str) -> tuple[tuple[Annotations, ...], Runs]:
        """Return the images and the runs of one detector."""
        return self.images, self.found[detector]


Results = Mapping[str, SetResults]
"""Name of the test set -> its results."""
