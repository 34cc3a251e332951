"""All networks that read faces, side by side: what the cards and the stored times say, computed anew nowhere.

Figures are ranked only among networks that were measured in the same unit on the same images. What the authors of a
network claim was measured elsewhere, so it stands beside and takes no part in the order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from core.artifacts.model_card import (
    DETECTOR_ARTIFACT,
    SERVED_FILE,
    InstalledArtifact,
    ModelCard,
    is_served,
    list_artifacts,
    rebuild_commands,
    restore_command,
)
from core.errors import ArtifactCorruptError, ArtifactError, ArtifactMissingError
from core.evaluation.intervals import MetricValue
from core.evaluation.latency import NetworkSpeed, load_speed
from core.evaluation.measures import MEASURES, Measure, ReportedResult, reported_results_for
from core.tasks import ATTRIBUTE_TASKS, TASKS, Split

UNMEASURED = MetricValue(math.nan, math.nan, math.nan, 0)
FROM_GROUPS = "years worked out from its age groups"
MORE_VOTES = "also learnt from the votes of FER+ on the same images"
_NO_SPEEDS: Mapping[str, NetworkSpeed] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """Facts about one network. ``size_bytes`` is that of the served file, also where it is not included; ``speed`` is
    ``None`` where no usable time is stored. ``included``: the served file comes with the repository, so that everybody
    has it; ``can_be_chosen``: it is here. ``restore``: the commands that bring a missing one back."""

    name: str
    title: str
    task: str
    own: bool
    parameters: int
    size_bytes: int | None
    speed: NetworkSpeed | None
    epochs_run: int | None
    recipe_epochs: int | None
    recipe: str
    included: bool
    can_be_chosen: bool
    restore: tuple[str, ...]

    @property
    def ms_per_face(self) -> float:
        """NaN where there is no time."""
        return self.speed.ms_per_face if self.speed else math.nan

    @property
    def epochs(self) -> str:
        """``12 of 30``; only those that were run where no recipe says how many, or where more rounds followed."""
        if self.epochs_run is None:
            return "not recorded"
        if self.recipe_epochs is None or self.recipe_epochs < self.epochs_run:
            return str(self.epochs_run)
        return f"{self.epochs_run} of {self.recipe_epochs}"


@dataclass(frozen=True, slots=True)
class Row:
    """One network and one measure: its figure on the test split and on the validation split; NaN where
    the card has none."""

    network: NetworkFacts
    reported: MetricValue
    validation: MetricValue
    claims: tuple[ReportedResult, ...]
    remark: str = ""
    """What sets the figure apart from those of the other networks."""


@dataclass(frozen=True)
class Group:
    """Networks whose figures can be compared, best first. ``images`` is how many the test split holds."""

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
    networks: Mapping[str, NetworkFacts] = field(default_factory=dict)

    @property
    def machines(self) -> tuple[str, ...]:
        """Processors that the times come from; times of several cannot be compared."""
        return tuple(sorted({one.speed.machine for one in self.networks.values() if one.speed}))

    @property
    def to_restore(self) -> tuple[NetworkFacts, ...]:
        """Those that have to be restored before they can be chosen for pictures and video."""
        return tuple(one for one in self.networks.values() if not one.can_be_chosen)


def load_leaderboard(
    root: Path | None = None, fresh: Mapping[str, NetworkSpeed] = _NO_SPEEDS, here: bool = True
) -> Leaderboard:
    """From the artifacts in ``root`` (default: the installed ones). ``fresh`` times replace those that are stored; with
    ``here`` these are of this machine where it has measured, otherwise they are what comes with the networks.

    A broken artifact or time becomes one of the ``problems`` and leaves the others.
    """
    networks: dict[str, NetworkFacts] = {}
    problems: list[ArtifactError] = []
    rows: dict[tuple[str, str], list[Row]] = {}
    for artifact in list_artifacts(root):
        card = artifact.card
        if artifact.name == DETECTOR_ARTIFACT or (card is not None and card.task not in ATTRIBUTE_TASKS):
            continue
        try:
            if card is None:
                raise artifact.error or ArtifactMissingError(f"{artifact.folder} has no card")
            speed, problem = fresh.get(artifact.name), None
            if speed is None:
                speed, problem = _stored_speed(artifact.folder, here)
            problems += [problem] if problem else []
            network = network_of(artifact, card, speed)
            measured = {measure.key: _row(network, card, measure) for measure in MEASURES if card.task in measure.tasks}
        except ArtifactError as error:
            problems.append(error)
            continue
        networks[network.name] = network
        for key, row in measured.items():
            if row is not None:
                rows.setdefault((key, _images(card)), []).append(row)
    return Leaderboard(tuple(_groups(rows)), tuple(problems), networks)


def network_of(artifact: InstalledArtifact, card: ModelCard, speed: NetworkSpeed | None) -> NetworkFacts:
    """Raises ``ArtifactCorruptError`` where the card says nothing usable about files or training."""
    served = is_served(artifact.folder, card)
    try:
        listed = {**card.excluded_files, **card.files}.get(SERVED_FILE)
        return NetworkFacts(
            name=artifact.name,
            title=card.title,
            task=card.task,
            own=not card.is_baseline,
            parameters=card.parameters,
            size_bytes=None if listed is None else int(listed["bytes"]),
            speed=speed,
            epochs_run=card.epochs_run,
            recipe_epochs=card.recipe_epochs,
            recipe=card.recipe,
            included=SERVED_FILE not in card.excluded_files,
            can_be_chosen=served,
            restore=() if served else _restore(card),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unusable(card, error) from error


def _restore(card: ModelCard) -> tuple[str, ...]:
    if SERVED_FILE not in card.excluded_files:
        return (f"git restore models/artifacts/{card.name}",)
    return rebuild_commands(card)


def _row(network: NetworkFacts, card: ModelCard, measure: Measure) -> Row | None:
    """``None`` where the card has no such figure. Raises ``ArtifactCorruptError``."""
    try:
        reported, validation = (_figure(card, split.name, measure.figure) for split in TASKS[card.task].splits)
        if reported is None and validation is None:
            return None
        claims = reported_results_for(measure, card)
        return Row(network, reported or UNMEASURED, validation or UNMEASURED, claims, _remark(card, measure))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unusable(card, error) from error


def _remark(card: ModelCard, measure: Measure) -> str:
    if measure.key == "age" and card.task == "age_group_gender":
        return FROM_GROUPS
    rounds = card.training.get("rounds") or ()
    return MORE_VOTES if any(one.get("config", {}).get("annotators_share") for one in rounds) else ""


def _figure(card: ModelCard, split: str, figure: str) -> MetricValue | None:
    figures = card.metrics.get(split, {})
    if figure not in figures:
        return None
    value, low, high = (float(figures.get(f"{figure}{end}", math.nan)) for end in ("", "_low", "_high"))
    return MetricValue(value, low, high, int(figures.get("n", 0)))


def _groups(rows: Mapping[tuple[str, str], list[Row]]) -> list[Group]:
    groups = []
    for measure in MEASURES:
        # Most networks first: they saw the complete test set, others a part or another copy of it.
        sets = sorted((found for (key, _), found in rows.items() if key == measure.key), key=len, reverse=True)
        for number, found in enumerate(sets):
            ranked = sorted(found, key=lambda row: (*_rank(row, measure), row.network.name))
            images = max(row.reported.n for row in ranked)
            test_split, validation_split = TASKS[ranked[0].network.task].splits
            title = measure.title if number == 0 else f"{measure.title}, other images ({number + 1})"
            groups.append(Group(measure, test_split, validation_split, images, tuple(ranked), title))
    return groups


def _rank(row: Row, measure: Measure) -> tuple[bool, float]:
    """Best first; what was not measured comes last."""
    value = row.reported.value
    if math.isnan(value):
        return True, 0.0
    return False, value if measure.lower_is_better else -value


def _images(card: ModelCard) -> str:
    """What tells the test split's images from others: their fingerprint, if the card has it."""
    prints = card.data.get("fingerprints", {}) if isinstance(card.data, Mapping) else {}
    return str(prints.get(TASKS[card.task].test_split.name, "")) if isinstance(prints, Mapping) else ""


def _stored_speed(folder: Path, here: bool) -> tuple[NetworkSpeed | None, ArtifactError | None]:
    try:
        return load_speed(folder), None
    except ArtifactMissingError:
        return None, None
    except ArtifactError as error:
        return None, error


def _unusable(card: ModelCard, error: Exception) -> ArtifactCorruptError:
    return ArtifactCorruptError(
        f"the card of {card.name} has no usable figures ({type(error).__name__}: {error}). {restore_command(card.name)}"
    )
