"""Write the README's tables of results from the artifacts: ``python -m models results [--check]``.

Everything between the markers is generated from cards and stored predictions; nothing in it is typed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from core.artifacts.model_card import (
    ARTIFACTS_DIR,
    DETECTOR_ARTIFACT,
    PREDICTIONS_FILE,
    TWO_VIEWS_FILE,
    TWO_VIEWS_KEY,
    ModelCard,
    load_card,
)
from core.detection import DEFAULT_DETECTOR
from core.errors import ArtifactMissingError, ConfigError
from core.evaluation import robustness
from core.evaluation.detection.conditions import CONDITIONS
from core.evaluation.detection.landmarks import MIN_IOD_PX
from core.evaluation.detection.report import DetectionReport
from core.evaluation.detection.store import load_report
from core.evaluation.detection.tables import frame_ms
from core.evaluation.fairness import OLDEST, YOUNGEST, fairness_report, mae_in_age_range
from core.evaluation.leaderboard import load_leaderboard
from core.evaluation.metrics import age_report, class_report
from core.evaluation.predictions import Predictions, load_predictions
from core.evaluation.robustness import RobustnessReport
from core.tasks import TASKS
from models.cli import run
from models.corruptions import TRAINING_CORRUPTIONS
from models.markdown import percent, table, years
from models.results_networks import NETWORKS_MARKERS, render_networks

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN = "<!-- results: written by `make readme` from the model cards and stored predictions -->"
END = "<!-- end of results -->"


def render(artifacts: Path = ARTIFACTS_DIR) -> str:
    """The Markdown between the markers. Raises ``ArtifactError``."""
    emotion_folder, age_folder = artifacts / "emotion", artifacts / "age_gender"
    emotion, ages = _reported(emotion_folder, age_folder, PREDICTIONS_FILE)
    cards = load_card(emotion_folder), load_card(age_folder)
    for card in cards:
        _check_complete(card)
    parts = [
        _headline((emotion, ages), _reported(emotion_folder, age_folder, TWO_VIEWS_FILE)),
        _models(*cards),
        _emotions(emotion),
        _brackets(ages),
        _groups(ages),
        _calibration(*cards),
        _robustness({card.title: robustness.load_report(artifacts / card.name, card) for card in cards}),
        _framing(*cards),
        _tilted(*cards),
        _detectors(load_report(artifacts / DETECTOR_ARTIFACT)),
    ]
    return "\n\n".join(parts)


def _check_complete(card: ModelCard) -> None:
    """A new export takes from the card what was measured with the old one."""
    for key, command in (("framing", "models alignment"), (TWO_VIEWS_KEY, "models evaluate --tta --store")):
        if key not in card.raw:
            raise ArtifactMissingError(
                f"the card of {card.name} has no {key!r}. Measure it with: python -m {command} {card.name} --data DIR"
            )


def _reported(emotion_folder: Path, age_folder: Path, file_name: str) -> tuple[Predictions, Predictions]:
    emotion = load_predictions(emotion_folder / file_name)[TASKS["emotion"].test_split.name]
    ages = load_predictions(age_folder / file_name)[TASKS["age_gender"].test_split.name]
    return emotion, ages


def _headline(served: tuple[Predictions, Predictions], two_views: tuple[Predictions, Predictions]) -> str:
    two_figures = _figures(*two_views)
    rows = [(*what, figure, two_figures[what]) for what, figure in _figures(*served).items()]
    title = (
        "Served models, one view of each image; in brackets the 95 % interval. The last column is the mean of two "
        "views, the crop and its mirror image (test-time augmentation), which is not served:"
    )
    return title + "\n\n" + table(("What", "Test set", "Result", "With two views"), rows)


def _figures(emotion: Predictions, ages: Predictions) -> dict[tuple[str, str], str]:
    """(what, test set) -> result."""
    age = age_report(ages)
    return {
        ("Emotion, 7 classes", "FER2013 PrivateTest"): percent(class_report(emotion, "emotion").accuracy),
        ("Perceived gender", "UTKFace test"): percent(class_report(ages, "gender").accuracy),
        ("Age, mean absolute error", "UTKFace test"): years(age.mae),
        ("Age within 5 years", "UTKFace test"): percent(age.within_5_years),
        ("True age inside the stated interval", "UTKFace test"): percent(age.coverage),
    }


def _models(*cards: ModelCard) -> str:
    rows = []
    for card in cards:
        exports = card.raw["exports"]
        served = exports["served"]
        compared = ", ".join(
            f"{name} {_compared(card, exports[name])} ({exports[name]['bytes'] / 1e6:.1f} MB)"
            for name in ("float32", "int8")
        )
        rows.append((card.title, f"{card.parameters / 1e6:.2f} M", served, f"{exports['compared_on']}: {compared}"))
    return "Both forms of each network, compared on the side that training chose on:\n\n" + table(
        ("Network", "Parameters", "Served as", "Compared"), rows
    )


def _compared(card: ModelCard, figures: dict[str, float]) -> str:
    if card.task == "emotion":
        return f"{figures['accuracy']:.2%}"
    return f"MAE {figures['age_mae']:.2f}, gender {figures['gender_accuracy']:.2%}"


def _emotions(emotion: Predictions) -> str:
    report = class_report(emotion, "emotion")
    rows = [
        (str(label), percent(accuracy), f"{precision:.1%}", f"{f1:.2f}", str(support))
        for label, accuracy, precision, f1, support in zip(
            report.labels, report.recall_intervals, report.precision, report.f1, report.support, strict=True
        )
    ]
    title = f"Emotion by class on PrivateTest (macro-F1 {report.macro_f1:.3f}):"
    return title + "\n\n" + table(("Class", "Accuracy", "Precision", "F1", "Images"), rows)


def _brackets(ages: Predictions) -> str:
    rows = [
        (bracket.label, years(bracket.mae), f"{bracket.bias:+.1f}", str(bracket.mae.n))
        for bracket in age_report(ages).by_bracket
    ]
    return "Age error by true age (bias: answer minus truth, years):\n\n" + table(
        ("Age", "Mean absolute error", "Bias", "People"), rows
    )


def _groups(ages: Predictions) -> str:
    report = fairness_report(ages)
    rows = [
        (group.label, percent(group.gender_accuracy), years(group.age_mae), str(group.n)) for group in report.groups
    ]
    by_label = table(("Label", "Perceived gender", "Age, mean absolute error", "People"), rows)
    age, gender = report.gap("age_mae"), report.gap("gender_accuracy")
    assert age is not None
    assert gender is not None
    gaps = (
        f"Between the best and the worst of these labels lie {gender.size * 100:.1f} points of gender accuracy "
        f"({gender.best.label} and {gender.worst.label}) and {age.size:.2f} years of age error ({age.best.label} and "
        f"{age.worst.label}); if the label made no difference, groups of these sizes would be at most "
        f"{gender.chance_gap * 100:.1f} points and {age.chance_gap:.2f} years apart in 19 of 20 cases."
    )
    young, old = mae_in_age_range(ages, *YOUNGEST), mae_in_age_range(ages, *OLDEST)
    extremes = (
        f"Mean absolute age error of the youngest, {YOUNGEST[0]} to {YOUNGEST[1]} years: {years(young)}, {young.n} "
        f"people; of the oldest, {OLDEST[0]} and more: {years(old)}, {old.n} people."
    )
    return f"Errors by UTKFace's race label:\n\n{by_label}\n\n{gaps}\n\n{extremes}"


def _calibration(*cards: ModelCard) -> str:
    rows = []
    for card in cards:
        figures = card.metrics[TASKS[card.task].test_split.name]
        name, prefix = ("Emotion", "") if card.task == "emotion" else ("Perceived gender", "gender_")
        rows.append(
            (
                name,
                f"{figures[f'{prefix}ece_before']:.3f}",
                f"{figures[f'{prefix}ece']:.3f}",
                f"{figures[f'{prefix}brier']:.3f}",
                f"{figures[f'{prefix}kept_share']:.1%}",
                f"{figures[f'{prefix}kept_accuracy']:.1%}",
            )
        )
    header = ("Answer", "ECE before", "ECE", "Brier score (0 to 2)", "Kept (coverage)", "Right among the kept")
    title = (
        "Confidence against accuracy on the test sets (ECE: expected calibration error, 15 bins; before and after the "
        'temperature that was fitted on the other side), and what is kept when unsure answers become "uncertain":'
    )
    ages = next(card.metrics[TASKS[card.task].test_split.name] for card in cards if card.task == "age_gender")
    brackets = (
        f"The stated age interval holds the true age of {ages['interval_coverage']:.1%} of the people, and of "
        f"{ages['interval_coverage_lowest']:.1%} to {ages['interval_coverage_highest']:.1%} in every age bracket; 80 % "
        "are stated."
    )
    return f"{title}\n\n{table(header, rows)}\n\n{brackets}"


def _robustness(reports: Mapping[str, RobustnessReport]) -> str:
    rows = []
    for title, report in reports.items():
        kept = report.retained_accuracy
        worst = min(report.corruptions, key=lambda corruption: corruption.mean("accuracy"))
        rows.append(
            (
                title,
                percent(report.clean.accuracy),
                f"{report.mean_corrupted('accuracy'):.1%}",
                f"{kept:.1%}",
                f"{worst.title.lower()}, {worst.mean('accuracy'):.1%}",
                f"{report.images} of {report.split_images}",
            )
        )
    conditions = next(iter(reports.values())).corruptions
    title = (
        f"Under {len(conditions)} kinds of damage at five severities each (accuracy; of age and gender, of gender). "
        f"Training crops suffered {len(TRAINING_CORRUPTIONS)} of them and a little rotation, shift and brightness, so these figures "
        "say little about damage of other kinds:"
    )
    header = ("Network", "Undamaged", "Damaged", "Ratio", "Worst", "Test images")
    return f"{title}\n\n{table(header, rows)}"


def _framing(*cards: ModelCard) -> str:
    rows = []
    for card in cards:
        measured = card.raw["framing"][DEFAULT_DETECTOR][TASKS[card.task].test_split.name]
        rows.append(
            (
                card.title,
                f"{measured['found']} of {measured['images']}",
                _compared(card, measured["plain"]),
                _compared(card, measured["detected"]),
            )
        )
    title = (
        "Test images in which the detector finds the face, as they are and as it crops them. They are easier than all "
        "images, so that the plain figures are better here than above:"
    )
    return title + "\n\n" + table(("Network", "Found", "Plain", "Through the detector"), rows)


def _tilted(*cards: ModelCard) -> str:
    rows = [
        (
            card.title,
            f"{angle} degrees",
            str(figures["found"]),
            _compared(card, figures["upright"]),
            _compared(card, figures["aligned"]),
        )
        for card in cards
        for angle, figures in card.raw["framing"][DEFAULT_DETECTOR]["tilted"].items()
    ]
    title = (
        "The same on pictures tilted to either side, without and with turning the face upright by its landmarks; each "
        "row is about the faces found at that tilt:"
    )
    return title + "\n\n" + table(("Network", "Tilt", "Found", "Not turned", "Turned upright"), rows)


def _detectors(report: DetectionReport) -> str:
    rows = []
    for detector in report.detectors.values():
        for condition in (condition for condition in CONDITIONS if condition.name in detector.conditions):
            measured = detector.conditions[condition.name]
            ms = frame_ms(detector, condition)
            rows.append(
                (
                    detector.title,
                    condition.title,
                    percent(measured.recall),
                    f"{measured.fppi:.2f}",
                    f"{measured.landmarks.mean:.1%}" if measured.landmarks else "–",
                    "–" if ms is None else f"{ms:.1f}",
                )
            )
    title = (
        "Face detectors on the test images: recall of annotated faces with an inter-ocular distance of "
        f"{MIN_IOD_PX:.0f} pixels or more, false positives per image (FPPI), normalised mean error of the landmarks "
        "(NME, by the inter-ocular distance), and time for a 640x480 frame on one thread:"
    )
    header = ("Detector", "Images", "Recall", "FPPI", "NME", "Time (ms)")
    return f"{title}\n\n{table(header, rows)}"


def replaced(text: str, results: str, markers: tuple[str, str] = (BEGIN, END)) -> str:
    """``text`` with ``results`` between the markers; ``ConfigError`` if it lacks them."""
    before, begin, rest = text.partition(markers[0])
    _, end, after = rest.partition(markers[1])
    if not begin or not end:
        raise ConfigError(f"the README lacks the lines {markers[0]!r} and {markers[1]!r}")
    return f"{before}{begin}\n\n{results}\n\n{end}{after}"


def renewed(text: str) -> str:
    """``text`` with everything that is generated. Raises ``ArtifactError`` or ``ConfigError``."""
    text = replaced(text, render())
    return replaced(text, render_networks(load_leaderboard(ARTIFACTS_DIR)), NETWORKS_MARKERS)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models results", description="Write the README's results.")
    parser.add_argument("--check", action="store_true", help="only say whether the README is up to date")
    return run(parser, _write, arguments)


def _write(options: argparse.Namespace) -> int:
    text = README.read_text(encoding="utf-8")
    wanted = renewed(text)
    if options.check:
        return 0 if text == wanted else 1
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
