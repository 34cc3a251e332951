"""Evaluate the whole pipeline, detector and networks, on labelled photographs of the user.

A label is about the largest face that is found. An image without one is a missed face: accuracy, confusion matrix and
age error are over the faces found, and the missed ones are counted beside them. ``end_to_end`` takes them as wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.artifacts.model_card import ModelCard, artifacts_dir, load_card
from core.attributes.caffe import CAFFE
from core.datasets.own_images import LabelledImage, OwnImages
from core.datasets.samples import Rejected
from core.errors import ConfigError, DetectorError, ImageError
from core.evaluation.errors import WrongPrediction, find_age_errors, find_class_errors
from core.evaluation.intervals import MetricValue, wilson_interval
from core.evaluation.metrics import age_report, class_report, classes_without_samples, sample_scores, summary_metrics
from core.evaluation.photographs import age_arrays, class_probabilities, largest_face
from core.evaluation.predictions import Predictions
from core.evaluation.tables import bracket_table, class_table, confusion_table, display_name, interval_columns
from core.io import export, images
from core.settings import NetworkChoice
from core.tasks import CLASSES, TASKS
from core.types import Analysis, Face
from core.video.session import FrameAnalyzer

ATTRIBUTES = ("emotion", "age", "gender")
_FACE_COLUMNS = [name for name in export.COLUMNS if name not in ("file", "rotation", "face")]


@dataclass(frozen=True, slots=True)
class Outcome:
    """``face``: the largest one that was found, of ``faces``."""

    image: LabelledImage
    face: Face | None
    faces: int


@dataclass(frozen=True)
class Counts:
    """About the images with a label of one attribute. ``found``: share with a face; ``several``: images with more than
    one. ``end_to_end``: share that is right if missed faces are wrong; ``None`` for age."""

    attribute: str
    found: MetricValue
    several: int
    end_to_end: MetricValue | None

    @property
    def missed(self) -> int:
        return self.found.n - round(self.found.value * self.found.n)


@dataclass(frozen=True)
class OwnEvaluation:
    """``predictions``: attribute -> those of the images with a label and a face, for attributes that have any."""

    outcomes: tuple[Outcome, ...]
    rejected: tuple[Rejected, ...]
    predictions: Mapping[str, Predictions]
    counts: tuple[Counts, ...]

    @property
    def missed(self) -> tuple[str, ...]:
        """Names of the images without a face."""
        return tuple(outcome.image.file.name for outcome in self.outcomes if outcome.face is None)


def evaluate_own_images(
    own: OwnImages, analyzer: FrameAnalyzer, progress: Callable[[int], object] = lambda done: None
) -> OwnEvaluation:
    """Run detector and networks over all images, one after the other; ``progress`` is called with the images done.

    Images that cannot be read are rejected. Raises ``ConfigError`` if none can.
    """
    outcomes, rejected = [], list(own.rejected)
    for done, image in enumerate(own.images, start=1):
        try:
            frame = images.decode(image.file.getvalue(), name=image.file.name).frame
            analysis = analyzer.analyze(frame)
            outcomes.append(Outcome(image, largest_face(analysis), len(analysis.faces)))
        except (ImageError, DetectorError):
            rejected.append(Rejected(image.file.name, "unreadable image"))
        progress(done)
    if not outcomes:
        raise ConfigError("none of the labelled images can be read.")
    predictions = {
        attribute: _predictions(attribute, rows)
        for attribute in ATTRIBUTES
        if (rows := [outcome for outcome in outcomes if _is_labelled(outcome, attribute) and outcome.face])
    }
    counts = tuple(
        _count(attribute, outcomes, predictions.get(attribute))
        for attribute in ATTRIBUTES
        if any(_is_labelled(outcome, attribute) for outcome in outcomes)
    )
    return OwnEvaluation(tuple(outcomes), tuple(rejected), predictions, counts)


def report_tables(evaluation: OwnEvaluation, cards: Mapping[str, ModelCard]) -> dict[str, pd.DataFrame]:
    """Return name -> table: ``counts``, ``comparison``, classes and confusion matrix per attribute, and age error by
    bracket. ``cards``: attribute -> card of the network that read it."""
    tables = {"counts": count_table(evaluation), "comparison": comparison_table(evaluation, cards)}
    for attribute, predictions in evaluation.predictions.items():
        if attribute == "age":
            tables["age_brackets"] = bracket_table(age_report(predictions))
        else:
            report = class_report(predictions, attribute)
            tables |= {
                f"{attribute}_classes": class_table(report),
                f"{attribute}_confusion": confusion_table(report, normalised=False),
            }
    return tables


def count_table(evaluation: OwnEvaluation) -> pd.DataFrame:
    """Tabulate faces found and missed, one row per attribute that has labels."""
    none = MetricValue(np.nan, np.nan, np.nan, 0)
    return pd.DataFrame(
        {
            "attribute": [counts.attribute for counts in evaluation.counts],
            "images": [counts.found.n for counts in evaluation.counts],
            "missed_faces": [counts.missed for counts in evaluation.counts],
            "images_with_several_faces": [counts.several for counts in evaluation.counts],
            **interval_columns("found_share", [counts.found for counts in evaluation.counts]),
            **interval_columns("end_to_end_accuracy", [counts.end_to_end or none for counts in evaluation.counts]),
        }
    )


def comparison_table(evaluation: OwnEvaluation, cards: Mapping[str, ModelCard]) -> pd.DataFrame:
    """Tabulate the metrics of the faces found beside those of the same networks on their public test sets."""
    rows: list[dict[str, object]] = []
    for attribute, predictions in evaluation.predictions.items():
        card = cards.get(attribute)
        split = None if card is None else TASKS[card.task].test_split
        public = {} if card is None or split is None else card.metrics.get(split.name, {})
        rows += [
            {
                "attribute": attribute,
                "metric": "Images" if name == "n" else display_name(name),
                "own_images": float(value),
                "public_test_set": float(public.get(name, np.nan)),
                "test_set": "" if split is None else split.title,
            }
            for name, value in summary_metrics(predictions).items()
        ]
    return pd.DataFrame(rows, columns=["attribute", "metric", "own_images", "public_test_set", "test_set"])


def prediction_csv(evaluation: OwnEvaluation) -> str:
    """Return labels and predictions as CSV, one row per image; without a face, predictions are empty."""
    labels = [f"true_{attribute}" for attribute in ATTRIBUTES]
    rows = []
    for outcome in evaluation.outcomes:
        name, face = outcome.image.file.name, outcome.face
        # The size of the image does not matter to the row.
        (row,) = export.file_rows(name, Analysis(1, 1, (face,) if face else ()))
        truth = [getattr(outcome.image, attribute) for attribute in ATTRIBUTES]
        rows.append(row | dict(zip(labels, truth, strict=True)) | {"faces": outcome.faces})
    return export.to_csv(rows, ["file", "faces", *labels, *_FACE_COLUMNS])


def missing_classes(evaluation: OwnEvaluation) -> dict[str, tuple[str, ...]]:
    """Return what ``core.evaluation.metrics.classes_without_samples`` does, of all attributes with labels."""
    missing: dict[str, tuple[str, ...]] = {}
    for attribute, predictions in evaluation.predictions.items():
        missing |= classes_without_samples(attribute, predictions.truth)
    return missing


def find_worst(evaluation: OwnEvaluation, attribute: str, count: int) -> tuple[WrongPrediction, ...]:
    """Return the most confident wrong classes, or the largest age errors, of the faces found."""
    predictions = evaluation.predictions[attribute]
    if attribute == "age":
        return find_age_errors(predictions, count)
    return find_class_errors(predictions, attribute, count)


def installed_cards(choice: NetworkChoice) -> dict[str, ModelCard]:
    """Return attribute -> card of its network. Caffe files of the user have none. Raises ``ArtifactError``."""
    networks = choice.by_attribute.items()
    return {attribute: load_card(artifacts_dir() / name) for attribute, name in networks if name != CAFFE}


def _is_labelled(outcome: Outcome, attribute: str) -> bool:
    return getattr(outcome.image, attribute) is not None


def _count(attribute: str, outcomes: Sequence[Outcome], predictions: Predictions | None) -> Counts:
    labelled = [outcome for outcome in outcomes if _is_labelled(outcome, attribute)]
    found = sum(outcome.face is not None for outcome in labelled)
    right = None
    if attribute != "age":
        scores = None if predictions is None else sample_scores(predictions, attribute)
        right = wilson_interval(0 if scores is None else int(scores.sum()), len(labelled))
    several = sum(outcome.faces > 1 for outcome in labelled)
    return Counts(attribute, wilson_interval(found, len(labelled)), several, right)


def _predictions(attribute: str, outcomes: Sequence[Outcome]) -> Predictions:
    """Collect labels and predictions of ``attribute``; the task of a network for it alone has the same name."""
    ids = np.array([outcome.image.file.name for outcome in outcomes])
    labels = [getattr(outcome.image, attribute) for outcome in outcomes]
    faces = [outcome.face for outcome in outcomes if outcome.face is not None]
    if attribute == "age":
        return Predictions("age", ids, {"age": np.array(labels, np.int64)}, {}, age_arrays(faces))
    truth = np.array([CLASSES[attribute].index(label) for label in labels], np.int64)
    return Predictions(attribute, ids, {attribute: truth}, {attribute: class_probabilities(faces, attribute)})
