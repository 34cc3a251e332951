"""How fast and how large the served networks are on this machine, against Keras' own ``predict``.

TensorFlow takes seconds and hundreds of megabytes to import, so Keras is timed in a process of its own: core is given
a command that prints the figures, and knows nothing of what it runs.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.artifacts.model_card import KERAS_FILE, SERVED_FILE, artifacts_dir, list_artifacts
from core.errors import ArtifactError

REPEATS = 30
REFERENCE_SUFFIX = ", haar"
"""Ends the names of stages that are timed only to compare with them."""
_ROOT = Path(__file__).resolve().parents[2]
_KERAS_TIMEOUT_S = 300.0
_SHARE_OF_STAGES = 0.7
"""Of the progress bar; Keras' process says nothing before its end."""

Progress = Callable[[float, str], None]
"""Is told the share that is done, in [0, 1], and what is going on."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """Milliseconds of one call of ``name``: median and 95th percentile."""

    name: str
    median_ms: float
    p95_ms: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.p95_ms) and 0 <= self.median_ms <= self.p95_ms):
            raise ValueError(f"times must satisfy 0 <= median <= p95 and be finite, got {self}")


@dataclass(frozen=True, slots=True)
class KerasTimes:
    """``predictions``: one call of ``model.predict`` with one crop for each artifact, by its name; ``import_s``: the
    seconds that TensorFlow took to import before."""

    predictions: tuple[StageTime, ...]
    import_s: float


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """What one measurement gave. ``keras`` is ``None`` where Keras could not be timed, ``keras_failure`` says why.
    ``networks`` are the artifacts' names."""

    stages: tuple[StageTime, ...]
    keras: KerasTimes | None
    keras_failure: str
    detector: str
    networks: tuple[str, ...]
    repeats: int
    frame: str
    cores: int

    def served(self, artifact: str) -> StageTime | None:
        """One crop through the served network."""
        return next((one for one in self.stages if one.name == f"{artifact}, one face"), None)

    def predicted(self, artifact: str) -> StageTime | None:
        """The same through ``model.predict``."""
        return next((one for one in self.keras.predictions if one.name == artifact), None) if self.keras else None


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """Facts from an artifact's card; bytes of a file that the card does not list are ``None``."""

    name: str
    title: str
    parameters: int
    served_bytes: int | None
    keras_bytes: int | None


KerasTimer = Callable[[Sequence[str]], KerasTimes]


def measure_speed(
    time_keras: KerasTimer, detector_name: str, progress: Progress, repeats: int = REPEATS
) -> SpeedReport:
    """Times every stage with our own networks in this process, then Keras by ``time_keras``, whose ``ArtifactError``
    becomes part of the report. Raises ``ArtifactError``, ``DetectorError`` or ``ConfigError`` if the stages themselves
    cannot be run.
    """
    # Only here: the runtime of the served networks is not needed to look at stored figures.
    from core.analyzer import SERVED_ARTIFACTS
    from core.benchmark import run_benchmark

    def advance(share: float) -> None:
        progress(share * _SHARE_OF_STAGES, "Timing every stage …")

    timings = run_benchmark(repeats, detector_name, advance)
    progress(_SHARE_OF_STAGES, "Timing Keras in a process of its own, about 10 to 20 seconds …")
    keras, failure = None, ""
    try:
        keras = time_keras(SERVED_ARTIFACTS)
    except ArtifactError as error:
        failure = str(error)
    progress(1.0, "Done")
    stages = tuple(StageTime(name, one["median_ms"], one["p95_ms"]) for name, one in timings["stages"].items())
    return SpeedReport(
        stages, keras, failure, detector_name, SERVED_ARTIFACTS, repeats, timings["frame"], os.cpu_count() or 1
    )


def keras_times(names: Sequence[str], command: Sequence[str], timeout_s: float = _KERAS_TIMEOUT_S) -> KerasTimes:
    """Runs ``command`` with the artifacts' ``names`` and ``--threads 1 --json``, and reads what it prints:
    ``{"import_s": .., "models": {name: {"median_ms": .., "p95_ms": ..}}}``.

    Raises ``ArtifactError`` with the last line of its error output, if that was meant for people.
    """
    environment = os.environ | {"FACET_ARTIFACTS": str(artifacts_dir().resolve()), "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        finished = subprocess.run(
            [*command, *names, "--threads", "1", "--json"],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        raise ArtifactError(f"Keras could not be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(f"Keras gave no answer within {timeout_s:.0f} seconds and was stopped") from error
    if finished.returncode != 0:
        raise ArtifactError(_reason(finished.stderr, finished.returncode))
    try:
        return _keras_times_from(json.loads(finished.stdout))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"Keras printed no usable times ({type(error).__name__}: {error})") from error


def network_sizes(root: Path | None = None) -> tuple[NetworkSize, ...]:
    """The networks that read crops, from the cards in ``root`` (default: the installed artifacts); artifacts whose card
    is broken are left out."""
    installed = [one.card for one in list_artifacts(root) if one.card is not None and one.card.attributes]
    # The classic networks have the leaderboard.
    cards = [card for card in installed if not card.is_baseline]

    def size_of(files: Any, name: str) -> int | None:
        return int(files[name]["bytes"]) if name in files else None

    return tuple(
        NetworkSize(
            card.name,
            card.title,
            card.parameters,
            size_of(card.files, SERVED_FILE),
            size_of(card.files, KERAS_FILE),
        )
        for card in cards
    )


def _reason(errors: str, status: int) -> str:
    """A line for people begins with ``error:``; anything else, such as a traceback, is not for them."""
    *_, last = errors.strip().splitlines() or [""]
    told = last.removeprefix("error: ")
    return told if told != last else f"Keras could not be timed: its process ended with status {status}"


def _keras_times_from(printed: dict[str, Any]) -> KerasTimes:
    times = (
        StageTime(str(name), float(one["median_ms"]), float(one["p95_ms"])) for name, one in printed["models"].items()
    )
    return KerasTimes(tuple(times), float(printed["import_s"]))
