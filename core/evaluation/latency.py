"""Milliseconds per face of each network, kept beside its card as ``speed.json``.

The crops are noise from a fixed seed: how long a network takes does not depend on what a crop shows. The card does not
list the file, which is about a machine as well; the export of another network removes it.
"""

from __future__ import annotations

import datetime
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import (
    DETECTOR_ARTIFACT,
    SERVED_FILE,
    SPEED_FILE,
    InstalledArtifact,
    list_artifacts,
)
from core.artifacts.storage import JSON_KEY, load_json, save_json
from core.attributes.estimator import LiteRTEstimator
from core.detection import DEFAULT_DETECTOR
from core.errors import ArtifactCorruptError, ArtifactError, ArtifactMissingError, ConfigError
from core.evaluation.detection.conditions import LIVE
from core.evaluation.detection.store import load_report
from core.evaluation.detection.tables import frame_ms
from core.runtime.timing import median_ms, single_thread
from core.settings import DEFAULT_NETWORKS
from core.tasks import ATTRIBUTE_TASKS

IMAGES = 10
RUNS = 5
"""Timed calls for each of the ``IMAGES``; every call gets one face."""
_CPU_INFO = Path("/proc/cpuinfo")

Progress = Callable[[float, str], None]
"""Gets the share done, in [0, 1], and the name of the network that comes next."""


@dataclass(frozen=True, slots=True)
class NetworkSpeed:
    """Median milliseconds per face on one thread of ``cpu``; ``measured`` is the ISO date."""

    ms_per_face: float
    images: int
    runs: int
    cpu: str = field(metadata={JSON_KEY: "machine"})
    measured: str

    def __post_init__(self) -> None:
        if not self.ms_per_face > 0:
            raise ValueError(f"ms_per_face must be positive, got {self.ms_per_face}")
        if self.images < 1 or self.runs < 1 or not self.cpu:
            raise ValueError(f"a speed needs images, runs and a CPU, got {self}")
        datetime.date.fromisoformat(self.measured)


@dataclass(frozen=True)
class SpeedRun:
    """Speeds by network, and the errors of networks that could not be timed or whose time could not be stored."""

    speeds: Mapping[str, NetworkSpeed]
    problems: tuple[ArtifactError, ...]


def load_speed(folder: Path) -> NetworkSpeed:
    """Read the stored speed of an artifact. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``."""
    folder = Path(folder)
    return load_json(folder / SPEED_FILE, NetworkSpeed, f"Measure it with: python -m models latency {folder.name}")


def total_frame_ms(root: Path) -> float:
    """Sum the stored milliseconds for one frame with one face: detection with live settings, and both networks once.

    ``root``: the folder of the artifacts. Raises ``ArtifactError``.
    """
    detection = frame_ms(load_report(root / DETECTOR_ARTIFACT).detectors[DEFAULT_DETECTOR], LIVE)
    if detection is None:
        raise ArtifactMissingError(
            "the time of the detector was not measured. Measure it with: python -m models.evaluate detector --data DIR "
            "--store"
        )
    networks = sorted(set(DEFAULT_NETWORKS.by_attribute.values()))
    return detection + sum(load_speed(root / name).ms_per_face for name in networks)


def save_speed(folder: Path, speed: NetworkSpeed) -> None:
    """Write ``speed.json``. Raises ``ArtifactError`` if the folder cannot be written to."""
    file = Path(folder) / SPEED_FILE
    try:
        save_json(file, speed, indent=2)
    except OSError as error:
        raise ArtifactError(f"{file} cannot be written ({error.strerror}). Make the folder writable.") from error


def measure_networks(
    progress: Progress,
    names: tuple[str, ...] = (),
    root: Path | None = None,
    today: datetime.date | None = None,
    time_network: Callable[[Path], float] | None = None,
) -> SpeedRun:
    """Time networks one after the other and store their speeds; one that fails leaves the others.

    ``names``: default all in ``root`` (default: the installed artifacts) that have a served file; ``time_network``:
    default ``time_artifact``. Raises ``ConfigError`` for a name without a served file. Waits for other measurements.
    """
    found = [artifact for artifact in list_artifacts(root) if _has_served_file(artifact)]
    unknown = sorted(set(names) - {artifact.name for artifact in found})
    if unknown:
        known = ", ".join(artifact.name for artifact in found) or "none"
        raise ConfigError(f"no {SERVED_FILE} to be timed for {', '.join(unknown)}; networks that have one: {known}")
    wanted = [artifact for artifact in found if not names or artifact.name in names]
    speeds: dict[str, NetworkSpeed] = {}
    problems: list[ArtifactError] = []
    date = (today or datetime.datetime.now().astimezone().date()).isoformat()
    with single_thread():
        for row, artifact in enumerate(wanted):
            progress(row / len(wanted), artifact.name)
            try:
                ms_per_face = (time_network or time_artifact)(artifact.folder)
                speeds[artifact.name] = NetworkSpeed(ms_per_face, IMAGES, RUNS, cpu_name(), date)
                save_speed(artifact.folder, speeds[artifact.name])
            except ArtifactError as error:
                problems.append(error)
    progress(1.0, "")
    return SpeedRun(speeds, tuple(problems))


def time_artifact(folder: Path) -> float:
    """Return the median milliseconds per face of the served network in ``folder``. Raises ``ArtifactError``."""
    estimator = LiteRTEstimator(folder, num_threads=1)
    crops = noise_crops(estimator.card.input_size, estimator.card.channels)
    try:
        return median_ms(estimator.predict, [crops[row : row + 1] for row in range(IMAGES)], RUNS)
    except (ValueError, RuntimeError) as error:
        raise ArtifactCorruptError(f"{folder / SERVED_FILE} cannot be run: {error}") from error


def noise_crops(size: int, channels: int) -> NDArray[np.uint8]:
    """Return (IMAGES, size, size, channels) uint8 noise, the same in every run."""
    return np.random.default_rng(0).integers(0, 256, (IMAGES, size, size, channels), dtype=np.uint8)


def cpu_name(cpu_info: Path = _CPU_INFO) -> str:
    """Return the processor's name as Linux gives it, elsewhere what Python knows."""
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next((name for name in names if name), "") or platform.processor() or platform.machine() or "unknown"


def _has_served_file(artifact: InstalledArtifact) -> bool:
    task = artifact.card.task if artifact.card is not None else None
    return task in ATTRIBUTE_TASKS and (artifact.folder / SERVED_FILE).is_file()
