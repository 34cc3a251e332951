"""Write ``docs/results.md`` and the README's table of results: ``python -m models results [--check]``.

Every number is computed from saved predictions and reports that are listed on the models' cards; none is typed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from core.artifacts.model_card import (
    ARTIFACTS_DIR,
    DETECTOR_ARTIFACT,
    PREDICTIONS_FILE,
    SEVERAL_VIEWS_FILE,
    SEVERAL_VIEWS_KEY,
    ModelCard,
    load_card,
)
from core.detection import DEFAULT_DETECTOR
from core.errors import ArtifactError, ArtifactMissingError, ConfigError
from core.evaluation.calibration import interval_report, interval_table
from core.evaluation.consistency import consistency_table, load_consistency
from core.evaluation.detection.conditions import ORIGINAL
from core.evaluation.detection.report import DetectionReport
from core.evaluation.detection.store import load_report as load_detection
from core.evaluation.detection.tables import OPERATING_POINTS, condition_table, figure_text_table
from core.evaluation.fairness import OLDEST, YOUNGEST, fairness_report, group_table, mae_in_age_range
from core.evaluation.latency import total_frame_ms
from core.evaluation.leaderboard import Group, Leaderboard, Network, load_leaderboard
from core.evaluation.leaderboard_tables import leaderboard_table
from core.evaluation.metrics import age_report, class_report, end_to_end_accuracy
from core.evaluation.predictions import Predictions, load_predictions
from core.evaluation.robustness import load_report as load_robustness
from core.evaluation.robustness import robustness_table
from core.evaluation.tables import bracket_table, class_table
from core.tasks import FAIRFACE, TASKS
from models.cli import run
from models.exporting.markdown import format_percent, format_years, text_table, to_markdown
from models.exporting.photo_tables import load_photographs, tabulate_photographs

ROOT = Path(__file__).resolve().parent.parent
README, RESULTS = ROOT / "README.md", ROOT / "docs" / "results.md"
BEGIN = "<!-- results: written by `make results` from saved predictions and reports -->"
END = "<!-- end of results -->"
_SERVED = ("emotion", "age_gender")
_SUMMARY = ("Task", "Measured on", "Result")
_TITLE = """# Results

Written by `make results` from saved predictions and reports; no number is typed. Test splits, one view per face, 95 %
confidence intervals in brackets. [Training](training.md) describes the protocol."""


def render_summary(artifacts: Path = ARTIFACTS_DIR) -> str:
    """Render the README's table: one row per question that a reader asks first. Raises ``ArtifactError``."""
    emotion, ages = _predictions(artifacts, PREDICTIONS_FILE)
    fairface = load_photographs(artifacts, FAIRFACE)
    detectors = load_detection(artifacts / DETECTOR_ARTIFACT)
    recall = detectors.detectors[DEFAULT_DETECTOR].default.conditions[ORIGINAL.name].recall
    rows = [
        *_attributes(emotion, ages),
        (
            "Perceived gender, a missed face counts as wrong: accuracy",
            "FairFace, whole photographs",
            format_percent(end_to_end_accuracy(fairface, "gender")),
        ),
        ("Face detection: recall", "web photographs, test", format_percent(recall)),
        ("One frame, one face, live settings", "640x480, one CPU thread", f"{total_frame_ms(artifacts):.1f} ms"),
    ]
    return text_table(_SUMMARY, rows)


def render(artifacts: Path = ARTIFACTS_DIR) -> str:
    """Render ``docs/results.md``. Raises ``ArtifactError`` where anything is missing, also from the leaderboard."""
    emotion, ages = _predictions(artifacts, PREDICTIONS_FILE)
    cards = [load_card(artifacts / name) for name in _SERVED]
    for card in cards:
        _check_complete(card)
    parts = [_TITLE, "## Summary", render_summary(artifacts)]
    parts += [f"With the mean of {_count_views(cards)} views per face, as photographs are answered:"]
    parts += [text_table(_SUMMARY, _attributes(*_predictions(artifacts, SEVERAL_VIEWS_FILE)))]
    parts += ["## Emotion by class, FER2013 PrivateTest", to_markdown(class_table(class_report(emotion, "emotion")))]
    parts += ["## Age by true age, UTKFace test", to_markdown(bracket_table(age_report(ages)))]
    parts += ["## Errors by race label, UTKFace test", *_groups(ages)]
    parts += [
        "## Whole photographs",
        *tabulate_photographs(artifacts, cards[1]),
        "## Calibration",
        *_calibration(cards, ages),
    ]
    parts += ["## Robustness", *_robustness(artifacts, cards), "## Through the detector", *_alignment(cards)]
    detectors = load_detection(artifacts / DETECTOR_ARTIFACT)
    parts += ["## Detectors", *_detectors(detectors), "## Served form", _served_forms(cards)]
    parts += ["## All networks", *_networks(load_leaderboard(artifacts))]
    return "\n\n".join(parts) + "\n"


def _predictions(artifacts: Path, file_name: str) -> tuple[Predictions, ...]:
    return tuple(load_predictions(artifacts / name / file_name)[TASKS[name].test_split.name] for name in _SERVED)


def _check_complete(card: ModelCard) -> None:
    """A new export takes from the card what was measured with the old one."""
    for key, command in (("framing", "alignment {}"), (SEVERAL_VIEWS_KEY, "evaluate {} --views 8 --store")):
        if key not in card.raw:
            raise ArtifactMissingError(
                f"the card of {card.name} has no {key!r}. Measure it with: python -m models "
                f"{command.format(card.name)} --data DIR"
            )


def _attributes(emotion: Predictions, ages: Predictions) -> list[tuple[str, str, str]]:
    return [
        (
            "Emotion, 7 classes: accuracy",
            "FER2013 PrivateTest",
            format_percent(class_report(emotion, "emotion").accuracy),
        ),
        ("Perceived gender: accuracy", "UTKFace test", format_percent(class_report(ages, "gender").accuracy)),
        ("Age: mean absolute error", "UTKFace test", format_years(age_report(ages).mae)),
    ]


def _groups(ages: Predictions) -> tuple[str, ...]:
    report = fairness_report(ages)
    gaps = {gap.metric: gap for gap in report.gaps if not gap.with_small}
    gender, age = gaps["gender_accuracy"], gaps["age_mae"]
    young, old = mae_in_age_range(ages, *YOUNGEST), mae_in_age_range(ages, *OLDEST)
    return (
        to_markdown(group_table(report).drop(columns="small_group")),
        f"- Perceived gender: {gender.size * 100:.1f} points between {gender.best.label} and {gender.worst.label}. "
        f"Expected from chance alone (95th percentile): {gender.chance_gap * 100:.1f} points.\n"
        f"- Age error: {age.size:.2f} years between {age.best.label} and {age.worst.label}. Expected from chance: "
        f"{age.chance_gap:.2f} years.\n"
        f"- Age error from {YOUNGEST[0]} to {YOUNGEST[1]} years: {format_years(young)}, {young.n} people; from "
        f"{OLDEST[0]} on: {format_years(old)}, {old.n} people.",
    )


def _count_views(cards: Sequence[ModelCard]) -> str:
    counts = {str(metrics["views"]) for card in cards for metrics in card.raw[SEVERAL_VIEWS_KEY].values()}
    return " or ".join(sorted(counts))


def _calibration(cards: Sequence[ModelCard], ages: Predictions) -> tuple[str, ...]:
    outputs = (("Emotion", cards[0], "", "emotion"), ("Perceived gender", cards[1], "gender_", "gender"))
    rows = []
    for title, card, prefix, output in outputs:
        metrics = card.metrics[TASKS[card.task].test_split.name]
        row = {"output": title, "confidence_threshold": card.min_confidence[output]}
        rows.append(row | {name: metrics[f"{prefix}{name}"] for name in ("ece_before", "ece", "brier")})
        rows[-1] |= {
            "coverage": metrics[f"{prefix}kept_share"],
            "selective_accuracy": metrics[f"{prefix}kept_accuracy"],
        }
    return (
        to_markdown(pd.DataFrame(rows)),
        "Predictions below the confidence threshold are shown as uncertain. Coverage is the share of the others. The "
        "age interval is built to hold 80 % of people:",
        to_markdown(interval_table(interval_report(ages))),
    )


def _robustness(artifacts: Path, cards: Sequence[ModelCard]) -> list[str]:
    parts = []
    for card in cards:
        report = load_robustness(artifacts / card.name, card)
        subject = "accuracy" if card.task == "emotion" else "accuracy of perceived gender"
        parts.append(f"{card.title}, {subject}, {report.images:,} images:")
        parts.append(to_markdown(robustness_table(report, "accuracy")))
        consistency = load_consistency(artifacts / card.name, card)
        parts.append(
            f"How often the {'emotion' if card.task == 'emotion' else 'perceived gender'} changes when the picture of "
            f"a face does, {consistency.found} portraits of FairFace behind the detector:"
        )
        parts.append(to_markdown(consistency_table(consistency)))
    return parts


def _alignment(cards: Sequence[ModelCard]) -> list[str]:
    parts = ["Test images in which the detector finds the face: as they are, and as the detector crops them."]
    rows, rotated = [], []
    for card in cards:
        measured = card.raw["framing"][DEFAULT_DETECTOR]
        test = measured[TASKS[card.task].test_split.name]
        found = f"{test['found']:,} of {test['images']:,}"
        rows.append((card.title, found, _short(card, test["plain"]), _short(card, test["detected"])))
        for angle, found_at in measured["tilted"].items():
            metrics = _short(card, found_at["upright"]), _short(card, found_at["aligned"])
            rotated.append((card.title, f"{angle} degrees", f"{found_at['found']:,}", *metrics))
    parts.append(text_table(("Network", "Faces found", "As they are", "Through the detector"), rows))
    parts.append("Images rotated in the plane, without and with alignment by the landmarks:")
    return [*parts, text_table(("Network", "Rotation", "Faces found", "Not aligned", "Aligned"), rotated)]


def _short(card: ModelCard, metrics: dict[str, float]) -> str:
    if card.task == "emotion":
        return f"{metrics['accuracy']:.1%}"
    return f"age MAE {metrics['age_mae']:.2f}, gender {metrics['gender_accuracy']:.1%}"


def _detectors(report: DetectionReport) -> list[str]:
    columns = ["detector", "images", "recall", "recall_low", "recall_high", "fppi", "nme", "median_ms"]
    parts = [to_markdown(condition_table(report.detectors)[columns])]
    for title, matched in OPERATING_POINTS.items():
        parts += [f"All test sets, {title}:", to_markdown(figure_text_table(report.detectors, matched))]
    return parts


def _served_forms(cards: Sequence[ModelCard]) -> str:
    rows = []
    for card in cards:
        exports = card.raw["exports"]
        forms = (
            f"{_short(card, exports[name])} ({exports[name]['bytes'] / 1e6:.1f} MB)" for name in ("float32", "int8")
        )
        rows.append((card.title, f"{card.parameters:,}", exports["served"], *forms))
    return text_table(("Network", "Parameters", "Served", "float32, validation", "int8, validation"), rows)


def _networks(board: Leaderboard) -> list[str]:
    if board.problems:
        raise ArtifactError(f"the table of networks would not be complete: {board.problems[0]}")
    return [
        "Networks of one table are measured on the same test images. Facet's are in bold. Baselines are published "
        "architectures, which learnt from the same images here. Packages are measured as they are published; an "
        "asterisk marks those that have seen test images (their cards say how). Reported results are the authors', "
        "usually on other data. A model file of 5 MB or more is not included. Milliseconds are per face, on one thread "
        f"of {_cpus(board)}.",
        *(part for group in board.groups for part in _group(group)),
    ]


def _group(group: Group) -> tuple[str, str]:
    table = leaderboard_table(group)
    name = "accuracy" if group.measure.unit == "%" else "age_mae"
    table = table.rename(columns={f"value{end}": f"{name}{end}" for end in ("", "_low", "_high")})
    table["network"] = [_describe(row.network) for row in group.rows]
    columns = [name, f"{name}_low", f"{name}_high", "reported", "source", "parameters", "ms_per_face", "epochs"]
    title = f"### {group.title}, {group.test_split.title} ({group.images} images)"
    return title, to_markdown(table[["network", *columns]])


def _cpus(board: Leaderboard) -> str:
    """Name the processors that the times come from; if they are several, with the networks that ran on each."""
    kinds = {cpu: {n.kind for n in board.networks.values() if n.speed and n.speed.cpu == cpu} for cpu in board.cpus}
    if len(kinds) == 1:
        return board.cpus[0]
    parts = [f"{cpu} ({', '.join(sorted(kinds[cpu]))})" for cpu in board.cpus]
    return f"{' and '.join(parts)}, which are not comparable"


def _describe(network: Network) -> str:
    if network.card.is_peer:
        return f"{network.label.replace('*', chr(92) + '*')} (package)"
    name = f"**{network.name}**" if network.is_own else network.name
    return name if network.is_included else f"{name} (not included)"


def replace_between_markers(text: str, results: str) -> str:
    """Return ``text`` with ``results`` between the markers. Raises ``ConfigError`` if it lacks them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(f"the README lacks the lines {BEGIN!r} and {END!r}")
    return f"{before}{begin}\n\n{results}\n\n{end}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models results", description="Write docs/results.md.")
    parser.add_argument("--check", action="store_true", help="only check whether both files are up to date")
    return run(parser, _run, arguments)


def _run(options: argparse.Namespace) -> int:
    readme = README.read_text(encoding="utf-8")
    wanted = {RESULTS: render(), README: replace_between_markers(readme, render_summary())}
    if options.check:
        return int(any(not path.is_file() or path.read_text(encoding="utf-8") != text for path, text in wanted.items()))
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
