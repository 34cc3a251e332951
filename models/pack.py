"""What training some networks needs, in few bytes: ``python -m models.pack CONFIG ... --data DIR --output DIR``.

For machines that are lent for minutes and take few bytes. ``python -m models.train_many`` (or ``models.train``) reads
the output folder in place of the data folder.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from core.datasets.ferplus import votes_file
from core.errors import ConfigError, FacetError
from models.packed_data import best_quality, without_reporting, write_pack
from models.training.config import TrainConfig
from models.training.data_sets import LOADERS
from models.training.recipes import config_named
from models.training.tasks import CROP_TASKS


def pack(configs: Sequence[TrainConfig], data_dir: Path, output: Path, most_bytes: float) -> list[Path]:
    """One file for each data set of ``configs``, at the largest size that one of them reads, and FER+'s votes if one
    asks for them; no more than ``most_bytes`` in all. Raises ``ConfigError`` and ``DatasetError``."""
    for config in configs:
        if config.task not in CROP_TASKS:
            raise ConfigError(f"{config.name} does not learn from crops of faces: only those can be packed")
    sizes: dict[str, int] = {}
    for config in configs:
        dataset = CROP_TASKS[config.task].dataset
        sizes[dataset] = max(config.source_size, sizes.get(dataset, 0))
    votes = [votes_file(data_dir)] if any(config.annotators_share for config in configs) else []
    most_bytes -= sum(file.stat().st_size for file in votes)
    data_sets = [without_reporting(LOADERS[name](data_dir, size), size) for name, size in sizes.items()]
    quality = best_quality(data_sets, most_bytes)
    output.mkdir(parents=True, exist_ok=True)
    # Without the permissions: the original may be read-only, and a second call has to replace the copy.
    copies = [Path(shutil.copyfile(file, output / file.name)) for file in votes]
    packs = [write_pack(output, data, quality) for data in data_sets]
    if (size := sum(file.stat().st_size for file in packs)) > most_bytes:
        raise ConfigError(f"the packs in {output} take {size:,} bytes, {most_bytes:,.0f} are left: ask for fewer --mib")
    return copies + packs


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.pack", description="Pack training images.")
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="names of configs that are to be trained")
    parser.add_argument("--data", type=Path, required=True, help="folder with fer2013/ or fer2013.csv, and UTKFace/")
    parser.add_argument("--output", type=Path, required=True, help="folder for the files")
    parser.add_argument("--mib", type=float, default=64.0, help="how much they may take in all (default: 64)")
    options = parser.parse_args(arguments)
    try:
        configs = [config_named(name) for name in options.configs]
        files = pack(configs, options.data, options.output, options.mib * 2**20)
    except FacetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps({str(file): file.stat().st_size for file in files}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
