"""Which part of a face an answer hangs on: patches are covered one after the other and the network is asked again.

Occlusion sensitivity, after Zeiler & Fergus (2014), "Visualizing and Understanding Convolutional Networks". It needs
the served network only, no gradients. It shows what the answer depends on, not whether the answer is right.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.attributes.estimator import Estimator
from core.attributes.postprocessing import postprocess_outputs
from core.errors import ConfigError
from core.types import EMOTIONS, GENDERS

ATTRIBUTES = ("emotion", "age", "gender")
LABELS: dict[str, tuple[str, ...]] = {"emotion": EMOTIONS, "gender": GENDERS}


@dataclass(frozen=True, slots=True)
class OcclusionSettings:
    """Patches lie on a grid of ``cells`` x ``cells`` centres; a patch is ``patch_share`` of the crop's side across, and
    the outer ``edge_share`` of the patch fades, because a hard edge would be a feature of its own.

    Patches are as wide as a mouth: half of a smile is enough to see it, so smaller ones hide nothing that matters.
    """

    cells: int = 10
    patch_share: float = 0.33
    edge_share: float = 0.3

    def __post_init__(self) -> None:
        if not 2 <= self.cells <= 12:
            raise ConfigError(f"an occlusion map has 2 to 12 cells a side, which bounds its time, got {self.cells}")
        if not 1 / self.cells < self.patch_share <= 0.6:
            raise ConfigError(
                f"patches must overlap and leave most of the face visible: patch_share must be in "
                f"(1/{self.cells}, 0.6], got {self.patch_share}"
            )
        if not 0 <= self.edge_share <= 1:
            raise ConfigError(f"edge_share must be in [0, 1], got {self.edge_share}")


@dataclass(frozen=True)
class OcclusionMap:
    """What covering each patch does to one answer.

    ``answer`` is the calibrated probability of ``label``, or for age, which has no label, the years; ``covered`` (g, g)
    float64 is the same with the patch of that row and column covered, from the top left. ``patch_px`` and ``stride_px``
    are in pixels of the network's crop.
    """

    attribute: str
    label: str | None
    answer: float
    covered: NDArray[np.float64]
    patch_px: float
    stride_px: float
    elapsed_ms: float

    @property
    def importance(self) -> NDArray[np.float64]:
        """(g, g) how much each patch changes the answer, whichever way: probability 0-1, or years."""
        return np.abs(self.covered - self.answer)

    @property
    def strongest(self) -> tuple[int, int]:
        """Row and column of the patch that changes the answer most."""
        row, column = np.unravel_index(int(self.importance.argmax()), self.covered.shape)
        return int(row), int(column)


def explain(
    crop: NDArray[np.uint8],
    estimator: Estimator,
    attribute: str,
    settings: OcclusionSettings = OcclusionSettings(),
    clock_s: Callable[[], float] = time.perf_counter,
) -> OcclusionMap:
    """(h, w, c) uint8, the crop that ``estimator`` reads, grey or BGR -> the map of its answer for ``attribute``.

    Raises ``ConfigError`` for an attribute that there is none of, or that ``estimator`` does not answer.
    """
    if attribute not in ATTRIBUTES:
        raise ConfigError(f"attribute must be one of {', '.join(ATTRIBUTES)}, got {attribute!r}")
    card = estimator.card
    if attribute not in card.attributes:
        raise ConfigError(f"{card.name} answers {', '.join(card.attributes)}, not {attribute}")
    start_s = clock_s()
    copies = occluded(crop, settings)
    answers = _answers(np.concatenate([crop[None], copies]), estimator, attribute)
    label_row = int(answers[0].argmax())
    values = answers[:, label_row]
    side = crop.shape[0]
    return OcclusionMap(
        attribute,
        str(LABELS[attribute][label_row]) if attribute in LABELS else None,
        answer=float(values[0]),
        covered=values[1:].reshape(settings.cells, settings.cells),
        patch_px=side * settings.patch_share,
        stride_px=side / settings.cells,
        elapsed_ms=(clock_s() - start_s) * 1000,
    )


def occluded(crop: NDArray[np.uint8], settings: OcclusionSettings = OcclusionSettings()) -> NDArray[np.uint8]:
    """(h, w, c) uint8 -> (cells^2, h, w, c): copies with one patch each in the crop's mean colour, row by row."""
    if crop.ndim != 3 or crop.dtype != np.uint8 or 0 in crop.shape:
        raise ValueError(f"crop must be a non-empty (h, w, c) uint8 array, got {crop.shape} {crop.dtype}")
    height, width, channels = crop.shape
    down, across = _profiles(height, settings), _profiles(width, settings)
    cover = (down[:, None, :, None] * across[None, :, None, :]).reshape(-1, height, width, 1)
    plain = crop.astype(np.float32)
    mean = plain.mean(axis=(0, 1))
    copies = plain + cover * (mean - plain)
    return np.rint(copies).astype(np.uint8).reshape(-1, height, width, channels)


def _profiles(length: int, settings: OcclusionSettings) -> NDArray[np.float32]:
    """(cells, length) how much of each pixel a patch covers along one axis, by the patch's place."""
    centers = (np.arange(settings.cells) + 0.5) * length / settings.cells
    pixels = np.arange(length) + 0.5
    # A pixel is the narrowest edge: the patch need not begin where a pixel does.
    edge = max(1.0, settings.edge_share * settings.patch_share * length / 2)
    inside = settings.patch_share * length / 2 - np.abs(pixels - centers[:, None])
    return np.clip(inside / edge + 0.5, 0, 1).astype(np.float32)


def _answers(crops: NDArray[np.uint8], estimator: Estimator, attribute: str) -> NDArray[np.float64]:
    """(N, K) calibrated probabilities, or (N, 1) years."""
    outputs = postprocess_outputs(estimator.predict(crops), estimator.card.temperature)
    return outputs.probabilities[attribute] if outputs.age is None or attribute != "age" else outputs.age.years[:, None]
