"""People and audiences, counted by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.io.export import to_csv
from core.types import AgeEstimate, EmotionEstimate, Face, GenderEstimate
from core.video.audience import AUDIENCE_COLUMNS, MIN_GROUP, OTHERS, PeopleLog, audience_rows
from tests.video.test_history import HAPPY, SAD, SOMEBODY, UNSURE

MAN, WOMAN, NOBODY_KNOWS = (GenderEstimate((p, 1 - p), 0.7) for p in (0.9, 0.1, 0.6))


def face(
    track_id: int, emotion: EmotionEstimate | None = HAPPY, years: float = 31, gender: GenderEstimate | None = WOMAN
) -> Face:
    return replace(SOMEBODY, track_id=track_id, emotion=emotion, age=AgeEstimate(years, 0, 99), gender=gender)


def log_of(*moments: tuple[float, list[Face]], elapsed_s: float = 0.5) -> PeopleLog:
    log = PeopleLog()
    for time_s, faces in moments:
        log.count(time_s, elapsed_s, faces)
    return log


def people(*kinds: tuple[int, float, GenderEstimate | None]) -> PeopleLog:
    """``kinds``: how many, years, gender; each is happy for a second."""
    ids: Iterator[int] = iter(range(1, 1000))
    faces = [face(next(ids), years=years, gender=gender) for count, years, gender in kinds for _ in range(count)]
    return log_of((0.0, faces), (0.5, faces))


def sizes(log: PeopleLog, dimension: str) -> dict[str, int]:
    return {name: mix.people for name, mix in log.audience().groups.get(dimension, {}).items()}


def test_a_person_is_summed_up() -> None:
    log = log_of((2.0, [face(7, years=30)]), (2.5, [face(7, UNSURE, 40)]), (9.0, [face(7, SAD, 50)]), (9.5, []))
    (person,) = log.people()
    assert (person.track_id, person.first_s, person.last_s, person.mix.seconds) == (7, 2.0, 9.0, 1.5)
    assert person.age_years == 40
    assert person.gender is not None
    assert person.gender.probabilities == pytest.approx((0.1, 0.9))
    assert person.gender.min_confidence == 0.7
    assert {label: share for label, share in person.mix.shares.items() if share} == pytest.approx(
        {"happy": 1 / 3, "sad": 1 / 3, "uncertain": 1 / 3}
    )
    assert person.mix.valence == pytest.approx((1 - 1 + UNSURE.valence) / 3)


def test_short_tracks_are_nobody() -> None:
    log = log_of((0.0, [face(1), face(2)]), (0.5, [face(1)]))
    assert [person.track_id for person in log.people()] == [1]
    assert log.audience().total.people == 1


def test_a_gap_is_no_time_in_view() -> None:
    assert log_of((0.0, [face(1)]), (60.0, [face(1)]), elapsed_s=60.0).people()[0].mix.seconds == 2.0


def test_nothing_read_and_nobody_there() -> None:
    nothing = replace(face(1), emotion=None, age=None, gender=None)
    (person,) = log_of((0.0, [nothing]), (0.5, [nothing])).people()
    assert (person.age_years, person.gender, dict(person.mix.shares), person.mix.valence) == (None, None, {}, None)
    empty = PeopleLog().audience()
    assert (empty.total.people, empty.total.valence, empty.over_time, empty.groups) == (0, None, {}, {})


def test_bins_of_time() -> None:
    log = log_of((0.0, [face(1), face(2)]), (0.5, [face(1), face(2)]), (59.5, [face(1, SAD)]), (130.0, [face(2, SAD)]))
    over_time = log.audience(bin_s=60.0).over_time
    assert {start: mix.people for start, mix in over_time.items()} == {0.0: 2, 120.0: 1}
    assert over_time[0.0].shares["happy"] == pytest.approx(0.8)
    assert over_time[0.0].valence == pytest.approx(0.6)
    assert set(log.audience(bin_s=10.0).over_time) == {0.0, 50.0, 130.0}
    assert set(log.audience(bin_s=3600.0).over_time) == {0.0}
    assert log.audience().in_view == 1


def test_large_groups_are_shown_and_small_ones_are_merged() -> None:
    log = people((7, 25, WOMAN), (6, 45, MAN), (2, 8, MAN), (3, 70, MAN))
    assert sizes(log, "age") == {"20-29": 7, "40-49": 6, OTHERS: 5}
    assert sizes(log, "perceived gender") == {"male": 11, "female": 7}


def test_a_small_group_does_not_follow_by_subtraction() -> None:
    assert sizes(people((9, 25, WOMAN), (5, 45, WOMAN), (3, 8, WOMAN)), "age") == {"20-29": 9, OTHERS: 8}
    assert sizes(people((9, 25, WOMAN), (3, 45, WOMAN)), "age") == {}
    assert sizes(people((9, 25, WOMAN), (3, 25, MAN), (3, 25, NOBODY_KNOWS)), "perceived gender") == {
        "female": 9,
        OTHERS: 6,
    }


def test_a_single_group_is_no_group() -> None:
    assert people((MIN_GROUP, 25, WOMAN)).audience().groups == {}
    assert people((MIN_GROUP - 1, 25, WOMAN)).audience().groups == {}


def test_csv() -> None:
    rows = audience_rows(people((5, 25, WOMAN), (5, 45, MAN)).audience())
    read = list(csv.DictReader(io.StringIO(to_csv(rows, AUDIENCE_COLUMNS))))
    assert [(row["of"], row["name"], row["people"]) for row in read] == [
        ("everybody", "", "10"),
        ("time", "0 s", "10"),
        ("age", "20-29", "5"),
        ("age", "40-49", "5"),
        ("perceived gender", "male", "5"),
        ("perceived gender", "female", "5"),
    ]
    assert {(row["share_happy"], row["mean_seconds"], row["valence"]) for row in read} == {("1.0", "1.0", "1.0")}
