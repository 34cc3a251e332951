"""Evaluate detector and networks on labelled photographs: ``python -m models.evaluate --folder DIR``.

See ``core.datasets.own_images`` for how images are labelled, and ``core.evaluation.own_images`` for what is counted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from core.analyzer import FaceAnalyzer
from core.artifacts.storage import to_json
from core.attributes.catalog import network_choice
from core.datasets.own_images import list_folder_files, read_own_images
from core.detection.registry import default_detector_name
from core.errors import ConfigError
from core.evaluation.metrics import describe_classes, summary_metrics
from core.evaluation.own_images import (
    OwnEvaluation,
    evaluate_own_images,
    find_worst,
    installed_cards,
    missing_classes,
    prediction_csv,
    report_tables,
)
from core.settings import DetectorSettings
from models.cli import report_rejected, run

_WORST = 10
_NAMED = 20


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m models.evaluate", description="Evaluate detector and networks on labelled photographs."
    )
    parser.add_argument(
        "--folder",
        type=Path,
        required=True,
        metavar="DIR",
        help="class folders of emotions or genders, names as in UTKFace, or a CSV file (file, emotion, age, gender)",
    )
    parser.add_argument("--tables", type=Path, metavar="DIR", help="write all tables and predictions as CSV files")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return run(parser, _evaluate, arguments)


def _evaluate(options: argparse.Namespace) -> None:
    files, others = list_folder_files(options.folder)
    own = read_own_images(files, others)
    choice = network_choice()
    analyzer = FaceAnalyzer.default(DetectorSettings(), default_detector_name(), choice)
    with tqdm(total=len(own.images), unit="image", file=sys.stderr, leave=False) as bar:
        evaluation = evaluate_own_images(own, analyzer, lambda done: bar.update(done - bar.n))
    report_rejected(evaluation.rejected)
    if missing := missing_classes(evaluation):
        print(f"warning: no face with the label {describe_classes(missing)}", file=sys.stderr)
    tables = report_tables(evaluation, installed_cards(choice))
    if options.tables:
        _write(evaluation, tables, options.tables)
    if options.json:
        print(json.dumps(_to_json(evaluation), indent=2))
    else:
        _print(evaluation, tables)


def _to_json(evaluation: OwnEvaluation) -> dict[str, object]:
    metrics = {attribute: summary_metrics(of) for attribute, of in evaluation.predictions.items()}
    counts = {counts.attribute: to_json(counts) | {"missed": counts.missed} for counts in evaluation.counts}
    left_out = [to_json(rejected) for rejected in evaluation.rejected]
    return {"counts": counts, "metrics": metrics, "missed": list(evaluation.missed), "left_out": left_out}


def _write(evaluation: OwnEvaluation, tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False)
        (folder / "predictions.csv").write_text(prediction_csv(evaluation), encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}. Choose another folder.") from error


def _print(evaluation: OwnEvaluation, tables: Mapping[str, pd.DataFrame]) -> None:
    for name, table in tables.items():
        print(f"\n{name.replace('_', ' ')}\n{table.to_string(index=False, na_rep='-', float_format='%.3f')}")
    for attribute in evaluation.predictions:
        errors = [f"  {error.caption}  {error.sample_id}" for error in find_worst(evaluation, attribute, _WORST)]
        print("\n".join([f"\nworst errors, {attribute}", *(errors or ["  none"])]))
    if evaluation.missed:
        more = ", ..." if len(evaluation.missed) > _NAMED else ""
        print(f"\nno face found in {len(evaluation.missed)}: {', '.join(evaluation.missed[:_NAMED])}{more}")
