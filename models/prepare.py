"""Copy a data set into class folders: ``python -m models prepare {fer2013,utkface} --data DIR --output DIR``.

Writes ``train``, ``valid`` and ``test`` with a folder for each class, by the splits of the evaluation protocol:
FER2013's Training, PublicTest and PrivateTest, and our own train, validation and test of UTKFace. Files are copied as
they are, rows of a table become PNG; the originals are only read.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.age_groups import AGE_GROUP_LABELS, nearest_age_groups
from core.datasets.copies import list_folder
from core.datasets.samples import Samples
from core.datasets.splits import SplitDataset, load_fer2013, load_utkface
from core.errors import ConfigError, DatasetError
from core.io.images import encode_png
from core.types import EMOTIONS, GENDERS
from models.cli import add_data, report_splits, run

FOLDERS = {"train": "train", "public": "valid", "private": "test", "validation": "valid", "test": "test"}
"""Split of a data set -> folder of its images."""
UTKFACE_CLASSES = {"gender": GENDERS, "age_group": AGE_GROUP_LABELS}
_SPLIT_SIZE = 80
"""Side in pixels at which UTKFace is read to be split; the files themselves are copied as they are."""


@dataclass(frozen=True)
class Job:
    """One image: its path under the output folder, and the file to copy or the (H, W) pixels to write."""

    target: Path
    source: Path | NDArray[np.uint8]


def prepare_fer2013(data_dir: Path) -> tuple[SplitDataset, list[Job]]:
    """List the images of FER2013 by emotion. Raises ``DatasetError``."""
    data = load_fer2013(data_dir)
    jobs = []
    for folder, samples in _by_folder(data):
        for row, (name, emotion) in enumerate(zip(samples.ids, samples.labels["emotion"], strict=True)):
            class_name = str(EMOTIONS[emotion])
            file = data.files.get(str(name))
            target = Path(folder) / class_name / (file.name if file else f"{name}.png")
            jobs.append(Job(target, file or samples.images[row, :, :, 0]))
    return data, jobs


def prepare_utkface(data_dir: Path, by: str) -> tuple[SplitDataset, list[Job]]:
    """List the images of UTKFace by ``by``, a key of ``UTKFACE_CLASSES``.

    Ages between two age groups go to the nearer one. Raises ``DatasetError``.
    """
    data = load_utkface(data_dir, _SPLIT_SIZE)
    jobs = []
    for folder, samples in _by_folder(data):
        classes = samples.labels["gender"] if by == "gender" else nearest_age_groups(samples.labels["age"])
        for name, index in zip(samples.ids, classes, strict=True):
            file = data.files[str(name)]
            jobs.append(Job(Path(folder) / str(UTKFACE_CLASSES[by][index]) / file.name, file))
    return data, jobs


def check_output(output: Path, data_dir: Path) -> None:
    """Raise ``ConfigError`` unless ``output`` is a new or empty folder outside ``data_dir`` and its link targets."""
    target = output.resolve()
    sources = {folder.resolve() for folder in (data_dir, *(data_dir / name for name in list_folder(data_dir).folders))}
    if sources & {target, *target.parents}:
        raise ConfigError(f"the output folder {output} lies in the data folder {data_dir}: choose one outside of it")
    if output.exists() and not output.is_dir():
        raise ConfigError(f"the output {output} is a file: choose a new or empty folder")
    if output.is_dir() and any(output.iterdir()):
        raise ConfigError(f"the output folder {output} is not empty: choose a new or empty one")


def write(jobs: Sequence[Job], output: Path) -> None:
    """Copy or write all images. Raises ``DatasetError`` where that fails; files written before stay."""
    for job in tqdm(jobs, desc="copy", unit="img", file=sys.stderr, leave=False):
        target = output / job.target
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(job.source, Path):
                shutil.copyfile(job.source, target)
            else:
                target.write_bytes(encode_png(job.source))
        except OSError as error:
            raise DatasetError(
                f"{target} cannot be written ({error.strerror}). {output} is not complete: remove it and start again"
            ) from error


def format_counts(jobs: Iterable[Job]) -> str:
    """Format the number of images by folder and class, one line each."""
    found = Counter(job.target.parent.as_posix() for job in jobs)
    return "\n".join(f"{name:24} {count:7,}" for name, count in sorted(found.items()))


def _by_folder(data: SplitDataset) -> list[tuple[str, Samples]]:
    return [(FOLDERS[split], samples) for split, samples in data.splits.items()]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models prepare", description="Copy a data set to class folders.")
    parser.add_argument("dataset", choices=("fer2013", "utkface"))
    add_data(parser)
    parser.add_argument("--output", type=Path, required=True, help="new or empty folder outside the data folder")
    parser.add_argument("--by", choices=tuple(UTKFACE_CLASSES), help="classes of utkface (default: gender)")
    options = parser.parse_args(arguments)
    if options.by and options.dataset != "utkface":
        parser.error("--by is for utkface: the classes of fer2013 are its emotions")
    return run(parser, _prepare, arguments)


def _prepare(options: argparse.Namespace) -> None:
    by = options.by or "gender"
    check_output(options.output, options.data)
    print("Reading the images and looking for near-duplicates ...", file=sys.stderr)
    if options.dataset == "fer2013":
        (data, jobs), task = prepare_fer2013(options.data), "emotion"
    else:
        (data, jobs), task = prepare_utkface(options.data, by), "age_group_gender" if by == "age_group" else by
    write(jobs, options.output)
    print(format_counts(jobs))
    print(f"{len(jobs):,} images in {options.output}")
    report_splits(data, task)


if __name__ == "__main__":
    sys.exit(main())
