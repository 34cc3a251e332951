"""Measure an artifact on corrupted images: ``python -m models robustness ARTIFACT --data DIR``.

``model.tflite`` predicts the test split, clean and after every corruption at every severity; ``robustness.json`` in the
artifact's folder keeps the metrics, and the card lists that file. Images are corrupted at the size that the data set
has them in, then resized to the network's input. They are taken in a fixed random order until all are done or 12
minutes are over; the report says how many were used.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from core.artifacts.model_card import SERVED_FILE, ModelCard, load_card
from core.attributes.estimator import Estimator, LiteRTEstimator
from core.datasets.loading import read_split
from core.datasets.samples import Samples, fingerprint, resize_images
from core.datasets.splits import load_utkface
from core.datasets.utkface import SOURCE_SIZE
from core.errors import ArtifactCorruptError, ConfigError
from core.evaluation.calibration import reliability
from core.evaluation.predict import predictions_from_outputs
from core.evaluation.robustness import (
    MEASURED_TASKS,
    CorruptionMetrics,
    Limit,
    RobustnessReport,
    measure_condition,
    measured_output,
    robustness_table,
    save_report,
    served_sha256,
    summarize,
)
from core.tasks import TASKS
from models.cli import add_artifact, add_data, artifact_folder, non_negative_int, positive_int, report_left_out, run
from models.corruptions import CORRUPTIONS, SEVERITIES, Corruption, occlusions
from models.exporting.model_card import read_card, write_card

BUDGET_S = 12 * 60
_CHUNK = 32
_SEARCHED_SIZE = 80
"""``load_utkface`` compares images at this side anyway; more would keep the whole data set in memory, 3 GB of it."""

Condition = tuple[str, int]
"""Name of a corruption and severity."""
CLEAN: Condition = ("", 0)
Outputs = dict[str, NDArray[np.float32]]


def corruptions_for(card: ModelCard) -> dict[str, Corruption]:
    """Return every corruption by name; bars over eyes and mouth lie where these are in the network's crops.

    Raises ``ConfigError`` for a card of another task, or without landmarks.
    """
    if card.task not in MEASURED_TASKS:
        raise ConfigError(f"robustness is measured for {', '.join(MEASURED_TASKS)}, {card.name} is for {card.task}")
    if card.crop.points is None:
        raise ConfigError(
            f"the card of {card.name} does not say where eyes and mouth are: "
            f"run first python -m models alignment {card.name} --data DIR"
        )
    return CORRUPTIONS | occlusions(card.crop.points)


def read_test_split(task: str, data_dir: Path) -> Samples:
    """Read the whole test split at the size that the data set has its images in."""
    split, ids = TASKS[task].test_split.name, np.empty(0, np.str_)
    if task == "age_gender":
        ids = load_utkface(data_dir, _SEARCHED_SIZE).splits[split].ids
    data = read_split(data_dir, task, split, ids, SOURCE_SIZE)
    report_left_out(data)
    return data.samples


def corrupt_samples(samples: Samples, name: str, corruption: Corruption, severity: int, seed: int) -> NDArray[np.uint8]:
    """Return a corrupted copy of every image, (N, H, W, C) uint8.

    What is drawn for an image depends on ``seed``, its id and the corruption's name only: the same at every severity,
    so that only the strength differs, and whichever other images are measured.
    """
    out = np.empty_like(samples.images)
    for row, (sample_id, image) in enumerate(zip(samples.ids.tolist(), samples.images, strict=True)):
        rng = np.random.default_rng([seed, zlib.crc32(name.encode()), zlib.crc32(sample_id.encode())])
        out[row] = corruption.at(severity, image, rng)
    return out


def predict_conditions(
    estimator: Estimator,
    samples: Samples,
    corruptions: dict[str, Corruption],
    seed: int,
    *,
    budget_s: float = math.inf,
    progress: Callable[[int], object] = lambda images: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[Condition, Outputs]:
    """Predict clean and corrupted images; ``progress`` gets the number of images just done.

    A few images after the other go through all conditions until the next few would exceed ``budget_s``: the outputs
    are of the first images then, at least of the first few, and of the same ones under every condition.
    """
    conditions = [CLEAN, *((name, severity) for name in corruptions for severity in SEVERITIES)]
    parts: dict[Condition, list[Outputs]] = {condition: [] for condition in conditions}

    def predict(condition: Condition, chunk: Samples) -> Outputs:
        name, severity = condition
        images = corrupt_samples(chunk, name, corruptions[name], severity, seed) if name else chunk.images
        return estimator.predict(resize_images(images, estimator.card.input_size))

    start_s = clock()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for done in range(0, len(samples), _CHUNK):
            if done and (clock() - start_s) * (done + _CHUNK) / done > budget_s:
                break
            chunk = samples.take(np.arange(done, min(done + _CHUNK, len(samples))))
            chunk_outputs = pool.map(partial(predict, chunk=chunk), conditions)
            for condition, outputs in zip(conditions, chunk_outputs, strict=True):
                parts[condition].append(outputs)
                progress(len(chunk))
    return {condition: _concatenate(outputs) for condition, outputs in parts.items()}


def measure(
    estimator: Estimator,
    samples: Samples,
    *,
    seed: int = 0,
    limit: int | None = None,
    budget_s: float = BUDGET_S,
    show_progress: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> RobustnessReport:
    """Measure the test split ``samples``, or ``limit`` of them; without a limit as many as ``budget_s`` allows."""
    card, start_s = estimator.card, clock()
    corruptions = corruptions_for(card)
    # A permutation, so that a smaller limit takes some of the images of a larger one.
    drawn = samples.take(np.random.default_rng(seed).permutation(len(samples))[:limit])
    within_s = budget_s if limit is None else math.inf
    total = len(drawn) * (1 + len(corruptions) * len(SEVERITIES))
    with tqdm(total=total, desc=card.name, unit="img", file=sys.stderr, disable=not show_progress) as bar:
        outputs = predict_conditions(
            estimator, drawn, corruptions, seed, budget_s=within_s, progress=bar.update, clock=clock
        )
    used = drawn.take(np.arange(len(next(iter(outputs[CLEAN].values())))))
    predictions = {
        condition: predictions_from_outputs(part, used, card.task, card.age_calibration, card.temperature)
        for condition, part in outputs.items()
    }
    metrics = {condition: measure_condition(part) for condition, part in predictions.items()}
    output = measured_output(card.task)
    corrupted = [part.probabilities[output] for condition, part in predictions.items() if condition != CLEAN]
    truth = np.tile(predictions[CLEAN].truth[output], len(corrupted))
    limited: Limit = "none" if len(used) == len(samples) else "time" if limit is None else "limit"
    return RobustnessReport(
        artifact=card.name,
        task=card.task,
        split=TASKS[card.task].test_split.name,
        model_sha256=served_sha256(card),
        seed=seed,
        images=len(used),
        split_images=len(samples),
        limited_by=limited,
        fingerprint=fingerprint(used.ids.tolist()),
        elapsed_s=round(clock() - start_s, 1),
        clean=metrics[CLEAN],
        corruptions=tuple(
            CorruptionMetrics(
                name,
                corruption.title,
                corruption.unit,
                tuple(float(level) for level in corruption.levels),
                tuple(metrics[name, severity] for severity in SEVERITIES),
            )
            for name, corruption in corruptions.items()
        ),
        corrupted_ece=reliability(np.concatenate(corrupted), truth).ece,
    )


def store(folder: Path, report: RobustnessReport) -> None:
    """Write the report and list it on the card. Raises ``ArtifactCorruptError`` if the network was replaced since."""
    if served_sha256(load_card(folder)) != report.model_sha256:
        raise ArtifactCorruptError(f"{folder / SERVED_FILE} was replaced while it was measured: measure it again")
    save_report(folder, report)
    write_card(folder, read_card(folder))


def _concatenate(parts: Sequence[Outputs]) -> Outputs:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models robustness", description="Measure on corrupted images.")
    add_artifact(parser)
    add_data(parser)
    parser.add_argument("--limit", type=positive_int, help="images to use (default: as many as 12 minutes allow)")
    parser.add_argument("--seed", type=non_negative_int, default=0, help="of the corruptions and of the order")
    return run(parser, _measure_artifact, arguments)


def _measure_artifact(options: argparse.Namespace) -> None:
    folder = artifact_folder(options.artifact)
    card = load_card(folder)
    # Before the data set is read, which takes half a minute.
    corruptions_for(card)
    estimator = LiteRTEstimator(folder)
    samples = read_test_split(card.task, options.data)
    report = measure(estimator, samples, seed=options.seed, limit=options.limit, show_progress=True)
    store(folder, report)
    print(f"{report.images} of {report.split_images} images, {report.elapsed_s:.0f} s")
    for name, value in summarize(report).items():
        print(f"{name:26} {value:.4f}")
    for metric in report.metrics:
        print(f"\n{metric}\n{robustness_table(report, metric).to_string(index=False, float_format='%.4f')}")


if __name__ == "__main__":
    sys.exit(main())
