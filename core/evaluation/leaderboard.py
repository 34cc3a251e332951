"""All networks for faces, ranked by the metrics on their model cards; nothing is computed anew.

Networks are ranked only among those that were measured by the same metric on the same images. Reported results of
others stand beside the measured ones and are not ranked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.artifacts.model_card import (
    DETECTOR_ARTIFACT,
    PREDICTIONS_FILE,
    SERVED_FILE,
    ModelCard,
    is_served,
    list_artifacts,
    rebuild_commands,
)
from core.errors import ArtifactError, ArtifactMissingError
from core.evaluation.intervals import MetricValue, mean_difference
from core.evaluation.latency import NetworkSpeed, load_speed
from core.evaluation.measures import MEASURES, Measure, ReportedResult, reported_results_for
from core.evaluation.metrics import sample_scores
from core.evaluation.predictions import load_predictions
from core.tasks import ATTRIBUTE_TASKS, TASKS, Split

UNMEASURED = MetricValue(math.nan, math.nan, math.nan, 0)
FROM_GROUPS = "years derived from age groups"
FERPLUS_VOTES = "also trained on FER+ votes for the same images"
SEEN_MARK = " *"
"""After the name of a peer that learnt from test images, or was chosen by them."""


@dataclass(frozen=True)
class Network:
    """One network with its artifact ``folder``; ``speed`` is ``None`` if no time is stored; ``is_installed``: whether
    its served file is in the folder, which large ones are not until they are trained and exported."""

    folder: Path
    card: ModelCard
    speed: NetworkSpeed | None
    is_installed: bool

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def label(self) -> str:
        """The name to show: of a peer package and version, with ``SEEN_MARK`` if it has seen test images."""
        package = self.card.package
        if package is None:
            return self.name
        return self.card.title + (SEEN_MARK if package.seen else "")

    @property
    def kind(self) -> str:
        """Where the network comes from: ``Facet``, ``Baseline`` or ``Package``."""
        return "Package" if self.card.is_peer else "Facet" if self.is_own else "Baseline"

    @property
    def is_own(self) -> bool:
        return self.card.is_own

    @property
    def ms_per_face(self) -> float:
        """NaN if no time is stored."""
        return self.speed.ms_per_face if self.speed else math.nan

    @property
    def is_included(self) -> bool:
        """Whether the served file comes with the repository."""
        return SERVED_FILE not in self.card.excluded_files and not self.card.is_peer

    @property
    def size_mb(self) -> float:
        """Megabytes of the served file, installed or not, or of a package's model files; NaN if no card lists it."""
        if self.card.package is not None:
            return self.card.package.size_mb
        listed = {**self.card.excluded_files, **self.card.files}.get(SERVED_FILE)
        return math.nan if listed is None else listed["bytes"] / 1e6

    @property
    def epochs(self) -> str:
        """``12 of 30``; only the epochs run if no recipe says how many, or if more followed."""
        run, recipe = self.card.epochs_run, self.card.recipe_epochs
        if run is None:
            return "not recorded"
        return str(run) if recipe is None or recipe < run else f"{run} of {recipe}"

    @property
    def install_commands(self) -> tuple[str, ...]:
        """The commands that bring a missing served file back; packages are never served."""
        if self.is_installed or self.card.is_peer:
            return ()
        if self.is_included:
            return (f"git restore models/artifacts/{self.card.name}",)
        return rebuild_commands(self.card)


@dataclass(frozen=True)
class Row:
    """One network and one measure: the metric on the test and the validation split, NaN if the card has none."""

    network: Network
    test: MetricValue
    validation: MetricValue
    reported: tuple[ReportedResult, ...]
    note: str = ""
    """What sets the value apart from those of the other networks."""


@dataclass(frozen=True)
class Group:
    """Networks whose results are comparable, best first. ``images``: size of the test split."""

    measure: Measure
    test_split: Split
    validation_split: Split
    images: int
    rows: tuple[Row, ...]
    title: str


@dataclass(frozen=True)
class Leaderboard:
    """``problems``: what could not be read of artifacts and stored times."""

    groups: tuple[Group, ...]
    problems: tuple[ArtifactError, ...] = ()
    networks: Mapping[str, Network] = field(default_factory=dict)

    @property
    def cpus(self) -> tuple[str, ...]:
        """Processors that the times come from; times of several are not comparable."""
        return tuple(sorted({network.speed.cpu for network in self.networks.values() if network.speed}))


def load_leaderboard(root: Path | None = None) -> Leaderboard:
    """Read the artifacts in ``root`` (default: the installed ones).

    A broken artifact or time becomes one of the ``problems`` and leaves the others.
    """
    networks: dict[str, Network] = {}
    problems: list[ArtifactError] = []
    rows: dict[tuple[str, str], list[Row]] = {}
    for artifact in list_artifacts(root):
        card = artifact.card
        if artifact.name == DETECTOR_ARTIFACT or (card is not None and card.task not in ATTRIBUTE_TASKS):
            continue
        if card is None:
            problems.append(artifact.error or ArtifactMissingError(f"{artifact.folder} has no card"))
            continue
        speed, problem = _stored_speed(artifact.folder)
        problems += [problem] if problem else []
        network = Network(artifact.folder, card, speed, is_served(artifact.folder, card))
        networks[network.name] = network
        for measure in MEASURES:
            row = _row(network, measure) if card.task in measure.tasks else None
            if row is not None:
                rows.setdefault((measure.key, _fingerprint(card)), []).append(row)
    return Leaderboard(tuple(_groups(rows)), tuple(problems), networks)


def differences_to_best(group: Group) -> dict[str, MetricValue]:
    """Return for each network its metric minus that of the best one, with the interval of the paired difference.

    The intervals of two metrics cannot tell whether the networks differ: images that are hard for one network are
    mostly hard for the others too. Networks without stored predictions on the same images are left out.
    """
    scores = {}
    for row in group.rows:
        try:
            predictions = load_predictions(row.network.folder / PREDICTIONS_FILE).get(group.test_split.name)
        except ArtifactError:
            continue
        values = None if predictions is None else sample_scores(predictions, group.measure.output)
        if predictions is not None and values is not None:
            scores[row.network.name] = dict(zip(predictions.ids.tolist(), values.tolist(), strict=True))
    best = scores.pop(group.rows[0].network.name, {})
    return {
        name: mean_difference(np.array([score - best[image] for image, score in by_image.items()]))
        for name, by_image in scores.items()
        if by_image.keys() == best.keys()
    }


def _row(network: Network, measure: Measure) -> Row | None:
    """``None`` if the card has the metric on neither split."""
    card = network.card
    test, validation = (_metric(card, split.name, measure.metric) for split in TASKS[card.task].splits)
    if math.isnan(test.value) and math.isnan(validation.value):
        return None
    return Row(network, test, validation, reported_results_for(measure, card), _note(card, measure))


def _note(card: ModelCard, measure: Measure) -> str:
    if card.package is not None:
        return card.package.seen
    if measure.key == "age" and card.task == "age_group_gender":
        return FROM_GROUPS
    rounds = card.training.get("rounds") or ()
    return FERPLUS_VOTES if any(stage.get("config", {}).get("annotators_share") for stage in rounds) else ""


def _metric(card: ModelCard, split: str, name: str) -> MetricValue:
    metrics = card.metrics.get(split, {})
    if name not in metrics:
        return UNMEASURED
    value, low, high = (float(metrics.get(f"{name}{end}", math.nan)) for end in ("", "_low", "_high"))
    return MetricValue(value, low, high, int(metrics.get("n", 0)))


def _groups(rows: Mapping[tuple[str, str], list[Row]]) -> list[Group]:
    groups = []
    for measure in MEASURES:
        # Most networks first: they saw the complete test split, others a part or another copy of it.
        sets = sorted((found for (key, _), found in rows.items() if key == measure.key), key=len, reverse=True)
        for number, found in enumerate(sets):
            ranked = sorted(found, key=lambda row: (*_rank(row, measure), row.network.name))
            images = max(row.test.n for row in ranked)
            test_split, validation_split = TASKS[ranked[0].network.card.task].splits
            title = measure.title if number == 0 else f"{measure.title}, other images ({number + 1})"
            groups.append(Group(measure, test_split, validation_split, images, tuple(ranked), title))
    return groups


def _rank(row: Row, measure: Measure) -> tuple[bool, float]:
    """Best first; what was not measured comes last."""
    value = row.test.value
    if math.isnan(value):
        return True, 0.0
    return False, value if measure.lower_is_better else -value


def _fingerprint(card: ModelCard) -> str:
    """What tells the images of the test split from others; empty if the card does not have it."""
    prints = card.data.get("fingerprints", {})
    return str(prints.get(TASKS[card.task].test_split.name, "")) if isinstance(prints, Mapping) else ""


def _stored_speed(folder: Path) -> tuple[NetworkSpeed | None, ArtifactError | None]:
    try:
        return load_speed(folder), None
    except ArtifactMissingError:
        return None, None
    except ArtifactError as error:
        return None, error
