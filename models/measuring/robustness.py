"""How well a served network answers on damaged pictures: ``python -m models robustness ARTIFACT --data DIR``.

Runs ``model.tflite`` in LiteRT over the reporting side of its data set, as it is and after every corruption at every
severity, and stores ``robustness.json`` in the artifact's folder. Pictures are damaged in the size in which the data
set has them, then resized to the network's input. They are taken in a fixed random order until all are done or 12
minutes are over; the file says how many it is about. The headline figures go on the card; ``--card-only`` writes them
there from the stored file, without measuring again. ``--before FOLDER`` keeps the report of an earlier artifact beside
it, so that the page can show what training against damage gained.
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
from core.datasets.samples import Samples, fingerprint, resized
from core.datasets.splits import load_utkface
from core.datasets.utkface import SOURCE_SIZE
from core.errors import ArtifactCorruptError, ConfigError
from core.evaluation.predict import predictions_from_outputs
from core.evaluation.robustness import (
    MEASURED_ATTRIBUTES,
    SEVERITIES,
    CorruptionFigures,
    Figures,
    RobustnessReport,
    figures_of,
    load_report,
    save_report,
    served_sha256,
    summary,
)
from core.evaluation.robustness_before import BeforeReport, check_comparable, save_before
from core.evaluation.robustness_headline import CARD_KEY, card_headline
from core.tasks import TASKS
from models.cli import add_artifact, add_data, artifact_folder, non_empty, run
from models.corruptions import CORRUPTIONS, Corruption, occlusions
from models.exporting.model_card import read_card, write_card

BUDGET_S = 12 * 60
NOT_TRAINED_AGAINST = (
    "Before: the network served earlier, which was smaller and had not seen damaged crops in training."
)
_CHUNK = 32
_SEARCHED_SIZE = 80
"""``load_utkface`` compares pictures at this side anyway; more would keep the whole data set in memory, 3 GB of it."""

Suite = dict[str, Corruption]
Condition = tuple[str, int]
"""Name of a corruption and severity."""
CLEAN: Condition = ("", 0)
Outputs = dict[str, NDArray[np.float32]]


def suite_for(card: ModelCard) -> Suite:
    """Every corruption; bars over eyes and mouth lie where these are in the network's crops."""
    if card.task not in MEASURED_ATTRIBUTES:
        raise ConfigError(
            f"robustness is measured for {', '.join(MEASURED_ATTRIBUTES)}, {card.name} is for {card.task}"
        )
    if card.crop.points is None:
        raise ConfigError(
            f"the card of {card.name} does not say where eyes and mouth are: "
            f"run first python -m models alignment {card.name} --data DIR"
        )
    return CORRUPTIONS | occlusions(card.crop.points)


def reporting_samples(task: str, data_dir: Path) -> Samples:
    """All pictures of the reporting side in the size that the data set has them in."""
    split, ids = TASKS[task].test_split.name, np.empty(0, np.str_)
    if task == "age_gender":
        ids = load_utkface(data_dir, _SEARCHED_SIZE).splits[split].ids
    return read_split(data_dir, task, split, ids, SOURCE_SIZE)


def damaged(samples: Samples, name: str, corruption: Corruption, severity: int, seed: int) -> NDArray[np.uint8]:
    """(N, H, W, C) uint8, a damaged copy of every image.

    What is drawn for an image depends on ``seed``, its id and the corruption's name only: the same at every severity,
    so that only the strength differs, and whichever other images are measured.
    """
    out = np.empty_like(samples.images)
    for row, (name_of_image, image) in enumerate(zip(samples.ids.tolist(), samples.images, strict=True)):
        rng = np.random.default_rng([seed, zlib.crc32(name.encode()), zlib.crc32(name_of_image.encode())])
        out[row] = corruption.at(severity, image, rng)
    return out


def outputs_by_condition(
    estimator: Estimator,
    samples: Samples,
    suite: Suite,
    seed: int,
    *,
    budget_s: float = math.inf,
    progress: Callable[[int], object] = lambda images: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[Condition, Outputs]:
    """Network outputs on the images as they are and damaged; ``progress`` gets the number of images just done.

    A few images after the other go through all conditions until the next few would exceed ``budget_s``: the outputs
    are of the first images then, at least of the first few, and of the same ones under every condition.
    """
    conditions = [CLEAN, *((name, severity) for name in suite for severity in SEVERITIES)]
    parts: dict[Condition, list[Outputs]] = {condition: [] for condition in conditions}

    def answered(condition: Condition, chunk: Samples) -> Outputs:
        name, severity = condition
        images = damaged(chunk, name, suite[name], severity, seed) if name else chunk.images
        return estimator.predict(resized(images, estimator.card.input_size))

    start_s = clock()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for done in range(0, len(samples), _CHUNK):
            if done and (clock() - start_s) * (done + _CHUNK) / done > budget_s:
                break
            chunk = samples.take(np.arange(done, min(done + _CHUNK, len(samples))))
            found = pool.map(partial(answered, chunk=chunk), conditions)
            for condition, outputs in zip(conditions, found, strict=True):
                parts[condition].append(outputs)
                progress(len(chunk))
    return {condition: _joined(outputs) for condition, outputs in parts.items()}


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
    """The report on ``samples``, the whole reporting side, or on ``limit`` of them; without a limit on as many as
    can be done in ``budget_s``."""
    _check_choices(seed, limit)
    card, start_s = estimator.card, clock()
    suite = suite_for(card)
    drawn = samples.take(_drawn(len(samples), len(samples) if limit is None else limit, seed))
    within_s = budget_s if limit is None else math.inf
    total = len(drawn) * (1 + len(suite) * len(SEVERITIES))
    with tqdm(total=total, desc=card.name, unit="img", file=sys.stderr, disable=not show_progress) as bar:
        outputs = outputs_by_condition(
            estimator, drawn, suite, seed, budget_s=within_s, progress=bar.update, clock=clock
        )
    used = drawn.take(np.arange(len(next(iter(outputs[CLEAN].values())))))
    figures = {condition: _figures(one, used, card) for condition, one in outputs.items()}
    return RobustnessReport(
        artifact=card.name,
        task=card.task,
        side=TASKS[card.task].test_split.name,
        model_sha256=served_sha256(card),
        seed=seed,
        images=len(used),
        side_images=len(samples),
        limited_by="none" if len(used) == len(samples) else "time" if limit is None else "limit",
        fingerprint=fingerprint(used.ids.tolist()),
        elapsed_s=round(clock() - start_s, 1),
        clean=figures[CLEAN],
        corruptions=tuple(_corruption_figures(name, one, figures) for name, one in suite.items()),
    )


def store(folder: Path, report: RobustnessReport) -> None:
    """Write the report, and list it on the card with its headline figures, unless the network was replaced in the
    meantime."""
    if served_sha256(load_card(folder)) != report.model_sha256:
        raise ArtifactCorruptError(f"{folder / SERVED_FILE} was replaced while it was measured: measure it again")
    save_report(folder, report)
    _write_headline(folder, report)


def store_headline(folder: Path) -> RobustnessReport:
    """Write the headline figures of the stored report, which is returned, on the card; nothing is measured.

    Raises ``ArtifactError`` for a report that is missing, altered, or about another network.
    """
    report = load_report(folder, load_card(folder))
    _write_headline(folder, report)
    return report


def store_before(folder: Path, earlier: Path, description: str) -> RobustnessReport:
    """Keep the report of the artifact folder ``earlier`` beside the one in ``folder``, to compare them on the page.

    Raises ``ArtifactError`` for a report that is missing or altered, ``ConfigError`` if they cannot be compared.
    """
    before = load_report(earlier, load_card(earlier))
    check_comparable(before, load_report(folder, load_card(folder)))
    save_before(folder, BeforeReport(description, before))
    write_card(folder, read_card(folder))
    return before


def _write_headline(folder: Path, report: RobustnessReport) -> None:
    write_card(folder, read_card(folder) | {CARD_KEY: card_headline(report)})


def report_text(report: RobustnessReport) -> str:
    """The headline figures and one line a corruption, for the command line."""
    lines = [f"{report.images} of {report.side_images} images, {report.elapsed_s:.0f} s"]
    lines += [f"{name:26} {value:.4f}" for name, value in summary(report).items()]
    lines.append(f"{'accuracy by severity':26} " + " ".join(f"{severity:>6}" for severity in SEVERITIES) + "   mean")
    for one in report.corruptions:
        shares = [figures.accuracy.value for figures in one.figures]
        lines.append(f"{one.name:26} " + " ".join(f"{share:.4f}" for share in [*shares, one.mean_accuracy]))
    if report.clean.age_mae is not None:
        lines.append("age error by severity")
        for one in report.corruptions:
            errors = [figures.age_mae.value for figures in one.figures if figures.age_mae is not None]
            lines.append(f"{one.name:26} " + " ".join(f"{error:6.2f}" for error in [*errors, np.mean(errors)]))
    return "\n".join(lines)


def _check_choices(seed: int, limit: int | None) -> None:
    if seed < 0:
        raise ConfigError(f"the seed must not be negative, got {seed}")
    if limit is not None and limit < 1:
        raise ConfigError(f"the limit must be at least 1 image, got {limit}")


def _drawn(size: int, count: int, seed: int) -> NDArray[np.int64]:
    """Rows of at most ``count`` images in random order; fewer of them are always among more."""
    return np.random.default_rng(seed).permutation(size)[:count]


def _joined(parts: Sequence[Outputs]) -> Outputs:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _figures(outputs: Outputs, samples: Samples, card: ModelCard) -> Figures:
    return figures_of(predictions_from_outputs(outputs, samples, card.task, card.age_calibration, card.temperature))


def _corruption_figures(name: str, one: Corruption, figures: dict[Condition, Figures]) -> CorruptionFigures:
    by_severity = tuple(figures[name, severity] for severity in SEVERITIES)
    return CorruptionFigures(name, one.title, one.unit, tuple(float(level) for level in one.levels), by_severity)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models robustness", description="Measure on damaged pictures.")
    add_artifact(parser)
    add_data(parser, required=False)
    parser.add_argument("--limit", type=int, help="images to use; default: all, or as many as 12 minutes allow")
    parser.add_argument("--seed", type=int, default=0, help="of the damage and of the choice of images")
    parser.add_argument(
        "--card-only", action="store_true", help="measure nothing: write the stored report's figures on the card"
    )
    parser.add_argument(
        "--before", type=Path, help="measure nothing: keep the report of this artifact folder beside it, to compare"
    )
    parser.add_argument(
        "--what", type=non_empty, default=NOT_TRAINED_AGAINST, help="with --before: how that network differs"
    )
    options = parser.parse_args(arguments)
    if options.data is None and options.before is None and not options.card_only:
        parser.error("--data is needed to measure (or --card-only, to write what is stored on the card)")
    return run(parser, lambda options: print(report_text(_run(options))), arguments)


def _run(options: argparse.Namespace) -> RobustnessReport:
    folder = artifact_folder(options.artifact)
    if options.card_only:
        return store_headline(folder)
    if options.before is not None:
        return store_before(folder, options.before, options.what)
    card = load_card(folder)
    # Before the data set is read, which takes half a minute.
    suite_for(card)
    _check_choices(options.seed, options.limit)
    estimator = LiteRTEstimator(folder)
    samples = reporting_samples(card.task, options.data)
    report = measure(estimator, samples, seed=options.seed, limit=options.limit, show_progress=True)
    store(folder, report)
    return report


if __name__ == "__main__":
    sys.exit(main())
