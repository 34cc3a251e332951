"""The command ``python -m core batch INPUT ... --out FOLDER``: analyze many images on Ray, here or on a cluster.

Files are shared out in parts. Ray's actors hold one analyzer each and write a part's rows to a Parquet file of its own
as soon as it is done. A part that a killed worker had not finished is analyzed again, and a run that is started again
leaves out the files that have rows, so that nothing is lost and nothing appears twice.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import cv2
from tqdm import tqdm

from core.analyze_command import INTERRUPTED
from core.analyzer import FaceAnalyzer
from core.artifacts.storage import replacing
from core.batch import Totals, analyze_files
from core.errors import ConfigError
from core.io.export import FILE_COLUMNS, Outcome, file_rows
from core.io.records import printable_name
from core.io.search import FoundFile, find_images
from core.settings import Attributes, DetectorSettings, NetworkChoice

# pandas and Ray take seconds to import: functions do it, so that the other commands need not wait.
if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ("file", "emotion", "emotion_guesses", "perceived_gender", "perceived_gender_guesses", "error")
_COUNTS = ("rotation", "face", "faces")
_TYPES = {name: "string" if name in _TEXTS else "Int64" if name in _COUNTS else "float64" for name in FILE_COLUMNS}
_OBJECT_STORE_BYTES = 100 * 1024 * 1024
"""Only paths and counts go through Ray's store: by default it would take a third of the memory."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", nargs="+", metavar="INPUT", help="image, folder, or pattern such as 'photos/*.jpg'")
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where Parquet files are written")
    command.add_argument("--recursive", action="store_true", help="search the folders inside folders too")
    command.add_argument(
        "--workers", type=int, metavar="N", help="analyzers at work, one thread each (default: all CPUs)"
    )
    command.add_argument(
        "--address", help="Ray cluster to use, 'auto' for the one of this machine (default: start one)"
    )
    command.add_argument("--part-size", type=int, default=200, metavar="N", help="images per file (default 200)")


@dataclass(frozen=True)
class AnalyzerSettings:
    """What a worker needs to load its analyzer."""

    detector_name: str
    networks: NetworkChoice

    def load(self) -> FaceAnalyzer:
        # Workers share the cores: threads of theirs would get into each other's way.
        cv2.setNumThreads(1)
        return FaceAnalyzer.default(DetectorSettings(), self.detector_name, self.networks)


class PartAnalyzer:
    """Analyzes a part's files and writes their rows; an actor keeps one."""

    def __init__(self, settings: AnalyzerSettings, folder: Path) -> None:
        self._analyzer, self._folder = settings.load(), folder

    def __call__(self, part: dict[str, Any]) -> dict[str, int]:
        """Analyze ``part["files"]``, absolute paths. Returns the counts of ``Totals``."""
        files = [str(file) for file in part["files"]]
        rows = _Rows()
        totals = Totals()
        for outcome in analyze_files(
            [FoundFile(file, PurePath(file)) for file in files], self._analyzer, Attributes(), [rows]
        ):
            totals.add(outcome)
        with replacing(self._folder / part_name(files)) as partial:
            rows.table().to_parquet(partial, index=False)
        return vars(totals)


class _Rows:
    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    def add(self, file: str, outcome: Outcome) -> None:
        self._rows += file_rows(printable_name(file), outcome)

    def table(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(self._rows, columns=list(FILE_COLUMNS)).astype(_TYPES)


def part_name(files: Sequence[str]) -> str:
    """Return the name of a part's file, which follows from its input: repeating a part replaces its file."""
    digest = hashlib.sha256("\0".join(files).encode(errors="surrogateescape")).hexdigest()
    return f"part-{digest[:16]}.parquet"


def files_done(folder: Path) -> dict[str, bool]:
    """Return the ``printable_name`` of all files that have rows in ``folder`` -> whether they could not be analyzed.

    Raises ``ConfigError`` if a table there is not of this command.
    """
    import pandas as pd

    done: dict[str, bool] = {}
    # A killed worker leaves a hidden file.
    for table in sorted(folder.glob("[!.]*.parquet")):
        try:
            rows = pd.read_parquet(table, columns=["file", "error"])
            done |= dict(zip(rows["file"], rows["error"].notna(), strict=True))
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(f"{table} is not a table of this command: {error}. Choose another folder.") from error
    return done


def run(options: argparse.Namespace, detector_name: str, networks: NetworkChoice) -> int:
    """Analyze all files. Returns the exit status: 1 if a file could not be analyzed, ``INTERRUPTED`` after Ctrl+C.

    Raises ``ConfigError``, ``ArtifactError`` or ``DetectorError`` if nothing could be done.
    """
    if (options.workers is not None and options.workers < 1) or options.part_size < 1:
        raise ConfigError("--workers and --part-size must be at least 1.")
    search = find_images([str(Path(path).absolute()) for path in options.paths], options.recursive)
    for note in search.notes:
        print(note, file=sys.stderr)
    if not search.files:
        raise ConfigError("no image to analyze. Name images, folders or patterns.")
    settings = AnalyzerSettings(detector_name, networks)
    # What workers would fail at is told before any is started.
    settings.load()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{options.out} cannot be used as a folder: {error.strerror}. Choose another.") from error
    done = files_done(options.out)
    files = [file.path for file in search.files if printable_name(file.path) not in done]
    parts = [files[first : first + options.part_size] for first in range(0, len(files), options.part_size)]
    earlier = [done[name] for file in search.files if (name := printable_name(file.path)) in done]
    totals = Totals(failed=sum(earlier), earlier=len(earlier))
    start_s = time.monotonic()
    interrupted = False
    with tqdm(total=len(files), unit="image", file=sys.stderr) as bar:
        try:
            for counts in _analyze_parts(parts, settings, options):
                totals.merge(Totals(**counts))
                bar.update(counts["files"])
        except KeyboardInterrupt:
            interrupted = True
    print(f"{totals}, {totals.files / (time.monotonic() - start_s):.1f} images per second", file=sys.stderr)
    if interrupted:
        print("interrupted: the same command goes on", file=sys.stderr)
        return INTERRUPTED
    return 1 if totals.failed else 0


def _analyze_parts(
    parts: Sequence[list[str]], settings: AnalyzerSettings, options: argparse.Namespace
) -> Iterator[dict[str, int]]:
    """Yield the counts of each part as it is done."""
    if not parts:
        return
    # Ray would report how it is used to its makers.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ConfigError(f"Ray is missing: pip install -r requirements-batch.txt ({error})") from error
    start: dict[str, Any] = {"address": options.address}
    if options.address is None:
        # For this machine alone, and without a dashboard.
        start = {"num_cpus": options.workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        start["object_store_memory"] = _OBJECT_STORE_BYTES
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **start)
    except ConnectionError as error:
        raise ConfigError(f"no Ray cluster answers at {options.address}: start one with ray start --head.") from error
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        workers = options.workers or max(1, int(ray.cluster_resources()["CPU"]))
        dataset = ray.data.from_items([{"files": part} for part in parts], override_num_blocks=len(parts))
        analyzed = dataset.map(
            PartAnalyzer,  # type: ignore[arg-type]  # a class is made an actor, its instance is called
            fn_constructor_args=(settings, options.out.absolute()),
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(parts)), max_tasks_in_flight_per_actor=1),
            num_cpus=1,
        )
        yield from analyzed.iter_rows()
    finally:
        ray.shutdown()
