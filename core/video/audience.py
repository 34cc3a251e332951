"""Who was in view, for how long and with what expressions: per person, and in aggregate. Holds no picture.

A person here is a track: whoever leaves the view and comes back counts again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.evaluation.metrics import AGE_BRACKETS, bracket_indices
from core.labels import UNCERTAIN, label_or_uncertain
from core.types import EMOTIONS, GENDERS, Face, GenderEstimate

if TYPE_CHECKING:
    from core.video.analysis import Sample

LABELS: tuple[str, ...] = (*map(str, EMOTIONS), UNCERTAIN)
"""What an expression counts as."""

MIN_SECONDS = 1.0
"""Tracks in view for less are not counted: most of them are mistakes of the detector."""

MIN_GROUP = 5
"""Fewer people are no group, because a mean over them tells about single ones."""

MAX_SAMPLE_S = 1.0
"""A sample stands for at most this long, also after a gap."""

BINS_S = {"10 seconds": 10.0, "1 minute": 60.0, "10 minutes": 600.0, "1 hour": 3600.0}
"""Title -> width of the time bins to choose from; all are multiples of the first."""

_SHORTEST_S = min(BINS_S.values())

OTHERS = "others"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mix:
    """Expressions of some people, or within some time. ``shares``: label -> share of the time in view, which sum to 1,
    empty without emotions; ``seconds``: time in view of all of them."""

    people: int
    seconds: float
    shares: Mapping[str, float]
    valence: float | None

    def format_top(self, count: int) -> str:
        """Format the largest shares: ``happy 60%, neutral 25%``."""
        ranked = sorted(((share, label) for label, share in self.shares.items() if share), reverse=True)
        return ", ".join(f"{label} {share:.0%}" for share, label in ranked[:count])


@dataclass(frozen=True, slots=True)
class Person:
    """One track. ``gender`` has the mean probabilities."""

    track_id: int
    first_s: float
    last_s: float
    age_years: float | None
    gender: GenderEstimate | None
    mix: Mix


@dataclass(frozen=True, slots=True)
class Audience:
    """Aggregates. ``over_time``: start of a bin in seconds -> mix; ``groups``: dimension -> group -> mix, where small
    groups are merged into ``OTHERS``, and dimensions with a single group are left out."""

    total: Mix
    in_view: int
    over_time: Mapping[float, Mix]
    groups: Mapping[str, Mapping[str, Mix]]


@dataclass(slots=True)
class _Track:
    """Sums over the samples, weighted by their seconds. ``age``: years and seconds; ``bins``: number of a shortest bin
    -> seconds per label, integral of valence, seconds in view."""

    first_s: float
    last_s: float = 0.0
    age: Floats = field(default_factory=lambda: np.zeros(2))
    gender: Floats = field(default_factory=lambda: np.zeros(len(GENDERS)))
    min_gender_confidence: float = 0.0
    bins: dict[int, Floats] = field(default_factory=dict)

    def sums(self) -> Floats:
        return np.sum(list(self.bins.values()), axis=0)


class PeopleLog:
    """Adds up samples. Its memory grows with the number of people and the time they are in view, not with samples."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._in_view = 0

    def add(self, sample: Sample) -> None:
        self.count(sample.time_s, sample.elapsed_s, sample.analysis.faces)

    def count(self, time_s: float, elapsed_s: float, faces: Sequence[Face]) -> None:
        """Count tracked faces for the time since the sample before."""
        seconds = min(elapsed_s, MAX_SAMPLE_S)
        self._in_view = len(faces)
        for face in faces:
            if face.track_id is not None:
                track = self._tracks.setdefault(face.track_id, _Track(time_s))
                _count_face(track, face, time_s, seconds)

    def people(self) -> list[Person]:
        """Return everybody who was in view for at least ``MIN_SECONDS``, in the order of appearance."""
        return [
            Person(
                track_id,
                track.first_s,
                track.last_s,
                float(track.age[0] / track.age[1]) if track.age[1] else None,
                _mean_gender(track),
                _mix([track]),
            )
            for track_id, track in self._counted().items()
        ]

    def audience(self, bin_s: float = 60.0) -> Audience:
        """Return the aggregates; ``bin_s``: one of ``BINS_S``."""
        tracks, people = list(self._counted().values()), self.people()
        gender = [label_or_uncertain(person.gender) if person.gender else "" for person in people]
        age = [
            "" if person.age_years is None else AGE_BRACKETS[bracket_indices(np.array([person.age_years]))[0]]
            for person in people
        ]
        dimensions = {
            "age": _group(tracks, age, AGE_BRACKETS),
            "perceived gender": _group(tracks, gender, (*map(str, GENDERS), UNCERTAIN)),
        }
        return Audience(
            _mix(tracks),
            self._in_view,
            _over_time(tracks, bin_s),
            {
                name: {key: _mix(value) for key, value in groups.items()}
                for name, groups in dimensions.items()
                if groups
            },
        )

    def _counted(self) -> dict[int, _Track]:
        # Sums of fractions of a second are not exact.
        return {number: track for number, track in self._tracks.items() if track.sums()[-1] > MIN_SECONDS - 1e-3}


def _count_face(track: _Track, face: Face, time_s: float, seconds: float) -> None:
    track.last_s = time_s
    sums = track.bins.setdefault(int(time_s // _SHORTEST_S), np.zeros(len(LABELS) + 2))
    sums[-1] += seconds
    if face.emotion is not None:
        sums[LABELS.index(label_or_uncertain(face.emotion))] += seconds
        sums[-2] += face.emotion.valence * seconds
    if face.age is not None:
        track.age += np.array([face.age.years, 1.0]) * seconds
    if face.gender is not None:
        track.gender += np.array(face.gender.probabilities) * seconds
        track.min_gender_confidence = face.gender.min_confidence


def _mean_gender(track: _Track) -> GenderEstimate | None:
    total = track.gender.sum()
    return GenderEstimate(tuple((track.gender / total).tolist()), track.min_gender_confidence) if total else None


def _mix(tracks: Sequence[_Track]) -> Mix:
    return _to_mix(len(tracks), np.sum([np.zeros(len(LABELS) + 2), *(track.sums() for track in tracks)], axis=0))


def _over_time(tracks: Sequence[_Track], bin_s: float) -> dict[float, Mix]:
    sums: dict[int, Floats] = {}
    people: Counter[int] = Counter()
    for track in tracks:
        bins = [(int(number * _SHORTEST_S // bin_s), values) for number, values in track.bins.items()]
        people.update({number for number, _ in bins})
        for number, values in bins:
            sums[number] = sums.get(number, 0.0) + values
    return {number * bin_s: _to_mix(people[number], sums[number]) for number in sorted(sums)}


def _to_mix(people: int, sums: Floats) -> Mix:
    read_s = sums[:-2].sum()
    shares = {label: float(value / read_s) for label, value in zip(LABELS, sums, strict=False)} if read_s else {}
    return Mix(people, float(sums[-1]), shares, float(sums[-2] / read_s) if read_s else None)


def _group(tracks: Sequence[_Track], names: Sequence[str], order: Sequence[str]) -> dict[str, list[_Track]]:
    """Split ``tracks`` by their names, without those whose name is empty. Groups under ``MIN_GROUP`` are merged, with
    the next larger one if they are too few together: what is left out must not follow by subtraction."""
    groups = {name: [track for track, own in zip(tracks, names, strict=True) if own == name] for name in order}
    by_size = sorted((name for name in order if groups[name]), key=lambda name: len(groups[name]))
    merged: list[_Track] = []
    while by_size and (len(groups[by_size[0]]) < MIN_GROUP or 0 < len(merged) < MIN_GROUP):
        merged += groups.pop(by_size.pop(0))
    split = {name: groups[name] for name in order if name in by_size} | ({OTHERS: merged} if merged else {})
    # A single group is everybody.
    return split if len(split) > 1 else {}


def audience_rows(audience: Audience) -> list[dict[str, Any]]:
    """Return rows with the keys of ``AUDIENCE_COLUMNS``: everybody, each time bin, each group."""
    rows = [{"of": "everybody", **mix_cells(audience.total)}]
    rows += [{"of": "time", "name": f"{start:.0f} s", **mix_cells(mix)} for start, mix in audience.over_time.items()]
    for dimension, groups in audience.groups.items():
        rows += [{"of": dimension, "name": name, **mix_cells(mix)} for name, mix in groups.items()]
    return rows


def mix_cells(mix: Mix) -> dict[str, Any]:
    """Return a mix as cells: people, mean seconds per person, shares and valence."""
    return {
        "people": mix.people,
        "mean_seconds": round(mix.seconds / mix.people, 2) if mix.people else None,
        **{f"share_{label}": round(share, 4) for label, share in mix.shares.items()},
        "valence": None if mix.valence is None else round(mix.valence, 4),
    }


MIX_COLUMNS = ("people", "mean_seconds", *(f"share_{label}" for label in LABELS), "valence")
AUDIENCE_COLUMNS = ("of", "name", *MIX_COLUMNS)
