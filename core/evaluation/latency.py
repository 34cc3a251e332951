"""Milliseconds that each network takes for one face, kept beside its card: ``speed.json`` comes with the network, and
``speed.here.json``, which git ignores, is what was measured on this machine since.

The pictures are made up from a fixed seed, because a network's time does not hang on what a picture shows. The card
does not list the file, which is about a machine as well; the export of another network removes it.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.artifacts.model_card import SERVED_FILE, InstalledArtifact, list_artifacts
from core.errors import ArtifactCorruptError, ArtifactError, ArtifactMissingError, ConfigError
from core.runtime.timing import TIMING_LOCK

SPEED_FILE = "speed.json"
HERE_FILE = "speed.here.json"
IMAGES = 10
RUNS = 5
"""Timed calls for each of the ``IMAGES``; every call gets one face."""
_SEED = 0
_WARM_UP_CALLS = 3
_CPU_FACTS = Path("/proc/cpuinfo")

Progress = Callable[[float, str], None]
"""Is told the share that is done, in [0, 1], and the name of the network that comes next."""
Predict = Callable[[NDArray[np.uint8]], object]


@dataclass(frozen=True, slots=True)
class NetworkSpeed:
    """Median milliseconds of one call with one face, on one thread of ``machine``; ``measured`` is the ISO date."""

    ms_per_face: float
    images: int
    runs: int
    machine: str
    measured: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.ms_per_face) and self.ms_per_face > 0):
            raise ValueError(f"ms_per_face must be positive and finite, got {self.ms_per_face}")
        if self.images < 1 or self.runs < 1 or not self.machine:
            raise ValueError(f"a speed needs images, runs and a machine, got {self}")
        datetime.date.fromisoformat(self.measured)


@dataclass(frozen=True)
class SpeedRun:
    """What one measurement gave: network -> speed, and what kept a network from being timed or its time from being
    stored; a time that could not be stored is among ``speeds`` all the same."""

    speeds: Mapping[str, NetworkSpeed]
    problems: tuple[ArtifactError, ...]


def load_speed(folder: Path, here: bool = True) -> NetworkSpeed:
    """The time of an artifact that was measured on this machine, if there is one and it is wanted (``here``), else the
    one that came with it. Raises ``ArtifactMissingError`` or ``ArtifactCorruptError``, naming the file."""
    measured_here = Path(folder) / HERE_FILE
    file = measured_here if here and measured_here.is_file() else Path(folder) / SPEED_FILE
    advice = f"Measure it with: python -m models latency {file.parent.name}"
    if not file.is_file():
        raise ArtifactMissingError(f"{file} is missing. {advice}")
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return NetworkSpeed(
            float(raw["ms_per_face"]), int(raw["images"]), int(raw["runs"]), str(raw["machine"]), str(raw["measured"])
        )
    except (OSError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ArtifactCorruptError(f"{file} holds no time ({type(error).__name__}: {error}). {advice}") from error


def save_speed(folder: Path, speed: NetworkSpeed, file_name: str = HERE_FILE) -> None:
    """Write the file, whole or not at all. Raises ``ArtifactError`` if the folder cannot be written to."""
    file = Path(folder) / file_name
    part = file.with_name(f".{file_name}.{os.getpid()}")
    try:
        part.write_text(json.dumps(asdict(speed), indent=2) + "\n", encoding="utf-8")
        part.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise ArtifactError(
            f"{file} cannot be written ({error.strerror}). Make the folder writable to keep the time of "
            f"{file.parent.name}; it is shown until the page is closed."
        ) from error


def measure_networks(
    progress: Progress,
    names: tuple[str, ...] = (),
    root: Path | None = None,
    today: datetime.date | None = None,
    time_one: Callable[[Path], float] | None = None,
    file_name: str = HERE_FILE,
) -> SpeedRun:
    """Times every network in ``root`` (default: the installed artifacts) whose served file is there, or only those of
    ``names``, one after the other by ``time_one`` (default: ``time_artifact``), and stores the times as ``file_name``.
    One that fails leaves the others.

    Raises ``ConfigError`` if one of ``names`` is no network with a served file. Waits for another measurement.
    """
    found = [one for one in list_artifacts(root) if _can_be_timed(one)]
    unknown = sorted(set(names) - {one.name for one in found})
    if unknown:
        known = ", ".join(one.name for one in found) or "none"
        raise ConfigError(f"no {SERVED_FILE} to be timed for {', '.join(unknown)}; networks that have one: {known}")
    wanted = [one for one in found if not names or one.name in names]
    speeds: dict[str, NetworkSpeed] = {}
    problems: list[ArtifactError] = []
    date = (today or datetime.datetime.now().astimezone().date()).isoformat()
    with TIMING_LOCK:
        for row, artifact in enumerate(wanted):
            progress(row / len(wanted), artifact.name)
            try:
                speed = NetworkSpeed((time_one or time_artifact)(artifact.folder), IMAGES, RUNS, machine_name(), date)
                speeds[artifact.name] = speed
                save_speed(artifact.folder, speed, file_name)
            except ArtifactError as error:
                problems.append(error)
    progress(1.0, "")
    return SpeedRun(speeds, tuple(problems))


def time_artifact(folder: Path) -> float:
    """Median milliseconds of the served network in ``folder``. Raises ``ArtifactError``."""
    # Only here: the runtime of the served models is not needed to look at stored times.
    from core.attributes.estimator import LiteRTEstimator

    estimator = LiteRTEstimator(folder, num_threads=1)
    try:
        return median_ms(estimator.predict, made_up_faces(estimator.card.input_size, estimator.card.channels))
    except (ValueError, RuntimeError) as error:
        raise ArtifactCorruptError(f"{folder / SERVED_FILE} cannot be run: {error}") from error


def median_ms(predict: Predict, faces: NDArray[np.uint8], clock: Callable[[], float] = time.perf_counter) -> float:
    """Over ``RUNS`` calls for each of ``faces`` (N, H, W, C), one face a call, after some calls that do not count;
    ``clock`` gives seconds."""
    for _ in range(_WARM_UP_CALLS):
        predict(faces[:1])
    elapsed_ms = []
    for _ in range(RUNS):
        for row in range(len(faces)):
            start_s = clock()
            predict(faces[row : row + 1])
            elapsed_ms.append((clock() - start_s) * 1000)
    return float(np.median(elapsed_ms))


def made_up_faces(size: int, channels: int) -> NDArray[np.uint8]:
    """(IMAGES, size, size, channels) uint8 noise, the same in every run."""
    return np.random.default_rng(_SEED).integers(0, 256, (IMAGES, size, size, channels), dtype=np.uint8)


def machine_name(cpu_facts: Path = _CPU_FACTS) -> str:
    """The processor's name as Linux gives it, elsewhere what Python knows."""
    try:
        lines = cpu_facts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next((name for name in named if name), "") or platform.processor() or platform.machine() or "unknown"


def _can_be_timed(artifact: InstalledArtifact) -> bool:
    return artifact.card is not None and bool(artifact.card.attributes) and (artifact.folder / SERVED_FILE).is_file()
