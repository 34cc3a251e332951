"""Timing of networks: what is timed and what is kept; how fast anything is depends on the machine."""

from __future__ import annotations

import datetime
import json
import math
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ArtifactCorruptError, ArtifactError, ArtifactMissingError, ConfigError
from core.evaluation.latency import (
    HERE_FILE,
    IMAGES,
    RUNS,
    SPEED_FILE,
    NetworkSpeed,
    load_speed,
    machine_name,
    made_up_faces,
    measure_networks,
    median_ms,
    save_speed,
)
from tests.fakes.leaderboard import copy_real_network, figures, write_network

TODAY = datetime.date(2026, 1, 31)
SPEED = NetworkSpeed(1.5, 10, 5, "Test CPU", "2026-01-31")


def _silent(share: float, name: str) -> None:
    """Nobody is waiting."""


def test_a_stored_time_is_read_back(tmp_path: Path) -> None:
    save_speed(tmp_path, SPEED, SPEED_FILE)
    assert load_speed(tmp_path) == SPEED
    assert json.loads((tmp_path / "speed.json").read_text()) == {
        "ms_per_face": 1.5,
        "images": 10,
        "runs": 5,
        "machine": "Test CPU",
        "measured": "2026-01-31",
    }
    assert [file.name for file in tmp_path.iterdir()] == ["speed.json"]


def test_what_was_measured_here_stands_before_what_came_with_the_network(tmp_path: Path) -> None:
    save_speed(tmp_path, SPEED, SPEED_FILE)
    here = replace(SPEED, ms_per_face=2.5, machine="This CPU")
    save_speed(tmp_path, here)
    assert load_speed(tmp_path) == here
    assert load_speed(tmp_path, here=False) == SPEED


def test_no_time_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissingError, match=f"models.measuring.latency {tmp_path.name}"):
        load_speed(tmp_path)


GOOD = {"ms_per_face": 1.5, "images": 10, "runs": 5, "machine": "CPU", "measured": "2026-01-31"}


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{}",
        *(
            json.dumps(GOOD | change).encode()
            for change in (
                {"ms_per_face": -1},
                {"ms_per_face": math.nan},
                {"ms_per_face": "fast"},
                {"ms_per_face": None},
                {"images": 0},
                {"images": math.inf},
                {"machine": ""},
                {"measured": "yesterday"},
            )
        ),
    ],
)
def test_a_broken_time_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "speed.json").write_bytes(content)
    with pytest.raises(ArtifactCorruptError, match=r"speed\.json holds no time"):
        load_speed(tmp_path)


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be written"):
        save_speed(tmp_path / "nowhere", SPEED)


def test_every_call_gets_one_face_and_the_median_counts() -> None:
    shapes: list[tuple[int, ...]] = []
    ticks = count()
    # Every call takes one tick of the clock; the third of those that count takes much longer.
    slow = iter([0.0] * 5 + [9.0] + [0.0] * 1000)

    def clock() -> float:
        return next(ticks) / 1000 + next(slow)

    faces = made_up_faces(8, 1)
    assert median_ms(lambda crops: shapes.append(crops.shape), faces, clock) == pytest.approx(1.0)
    assert set(shapes) == {(1, 8, 8, 1)}
    assert next(ticks) == 2 * IMAGES * RUNS


def test_made_up_faces_are_the_same_every_time_and_differ_from_each_other() -> None:
    faces = made_up_faces(16, 3)
    assert (faces.shape, faces.dtype) == ((IMAGES, 16, 16, 3), np.uint8)
    assert np.array_equal(faces, made_up_faces(16, 3))
    assert not np.array_equal(faces[0], faces[1])


def test_a_real_network_is_timed_and_its_time_kept(tmp_path: Path) -> None:
    folder = copy_real_network(tmp_path)
    write_network(tmp_path, "without_file", "emotion", {}, included=False)
    told: list[tuple[float, str]] = []
    run = measure_networks(lambda share, name: told.append((share, name)), root=tmp_path, today=TODAY)
    assert not run.problems
    assert list(run.speeds) == ["emotion"]
    assert run.speeds["emotion"] == load_speed(folder)
    assert (run.speeds["emotion"].images, run.speeds["emotion"].runs) == (10, 5)
    assert run.speeds["emotion"].measured == "2026-01-31"
    assert told == [(0.0, "emotion"), (1.0, "")]


def test_one_that_cannot_be_run_leaves_the_others(tmp_path: Path) -> None:
    write_network(tmp_path, "broken", "emotion", {"private": figures(accuracy=0.5)})
    copy_real_network(tmp_path)
    run = measure_networks(_silent, root=tmp_path, today=TODAY)
    assert list(run.speeds) == ["emotion"]
    (problem,) = run.problems
    assert "broken" in str(problem)
    assert not (tmp_path / "broken" / "speed.json").exists()


def test_a_time_that_cannot_be_kept_is_shown_all_the_same(tmp_path: Path) -> None:
    folder = copy_real_network(tmp_path)
    # A folder in the way of the file: the tests may run as root, who can write anywhere.
    (folder / HERE_FILE).mkdir()
    run = measure_networks(_silent, root=tmp_path, today=TODAY)
    assert list(run.speeds) == ["emotion"]
    assert "cannot be written" in str(run.problems[0])
    assert sorted(file.name for file in folder.iterdir()) == ["card.json", "model.tflite", HERE_FILE]


def test_only_those_that_are_asked_for(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_network(tmp_path, name, "emotion", {})
    run = measure_networks(_silent, ("two",), tmp_path, TODAY, time_one=lambda folder: 2.0)
    assert {name: speed.ms_per_face for name, speed in run.speeds.items()} == {"two": 2.0}
    with pytest.raises(ConfigError, match="for three; networks that have one: one, two"):
        measure_networks(_silent, ("three",), tmp_path, TODAY)


def test_nothing_to_time(tmp_path: Path) -> None:
    run = measure_networks(_silent, root=tmp_path, today=TODAY)
    assert (dict(run.speeds), run.problems) == ({}, ())


@pytest.mark.parametrize(
    ("text", "name"),
    [("processor : 0\nmodel name\t: Fast CPU @ 3 GHz\n", "Fast CPU @ 3 GHz"), ("model name :\nmodel name : X\n", "X")],
)
def test_the_machine_is_named_by_its_processor(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert machine_name(tmp_path / "cpuinfo") == name


def test_a_machine_always_has_a_name(tmp_path: Path) -> None:
    assert machine_name(tmp_path / "nothing")


@pytest.mark.parametrize("change", [{"ms_per_face": 0.0}, {"runs": 0}, {"measured": "today"}], ids=str)
def test_times_are_checked(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|needs|isoformat"):
        NetworkSpeed(**(GOOD | change))
