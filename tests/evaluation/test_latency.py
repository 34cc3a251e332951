"""Timing of networks: what is timed and what is kept; how fast anything is depends on the machine."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import numpy as np
import pytest

from core.artifacts.model_card import SPEED_FILE
from core.errors import ArtifactCorruptError, ArtifactMissingError, ConfigError
from core.evaluation.latency import (
    IMAGES,
    NetworkSpeed,
    cpu_name,
    load_speed,
    measure_networks,
    noise_crops,
    save_speed,
)
from tests.fakes.leaderboard import figures, write_network
from tests.fakes.networks import add_artifact

TODAY = datetime.date(2026, 1, 31)
SPEED = NetworkSpeed(1.5, 10, 5, "Test CPU", "2026-01-31")
GOOD = {"ms_per_face": 1.5, "images": 10, "runs": 5, "machine": "Test CPU", "measured": "2026-01-31"}


def _silent(share: float, name: str) -> None:
    """Ignore the progress."""


def test_a_stored_speed_is_read_back(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissingError, match=f"models latency {tmp_path.name}"):
        load_speed(tmp_path)
    save_speed(tmp_path, SPEED)
    assert load_speed(tmp_path) == SPEED
    assert json.loads((tmp_path / "speed.json").read_text()) == GOOD


@pytest.mark.parametrize(
    "change",
    [{"ms_per_face": -1}, {"ms_per_face": None}, {"images": 0}, {"runs": 0}, {"machine": ""}, {"measured": "today"}],
    ids=str,
)
def test_a_broken_speed_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / "speed.json").write_text(json.dumps(GOOD | change))
    with pytest.raises(ArtifactCorruptError, match=r"speed\.json cannot be used"):
        load_speed(tmp_path)


def test_noise_crops_are_reproducible_and_differ() -> None:
    crops = noise_crops(16, 3)
    assert (crops.shape, crops.dtype) == ((IMAGES, 16, 16, 3), np.uint8)
    assert np.array_equal(crops, noise_crops(16, 3))
    assert not np.array_equal(crops[0], crops[1])


def test_a_real_network_is_timed_and_its_time_kept(tmp_path: Path) -> None:
    folder = add_artifact(tmp_path, "emotion", "emotion")
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
    add_artifact(tmp_path, "emotion", "emotion")
    run = measure_networks(_silent, root=tmp_path, today=TODAY)
    assert list(run.speeds) == ["emotion"]
    (problem,) = run.problems
    assert "broken" in str(problem)
    assert not (tmp_path / "broken" / "speed.json").exists()


def test_a_time_that_cannot_be_kept_is_shown_all_the_same(tmp_path: Path) -> None:
    folder = add_artifact(tmp_path, "emotion", "emotion")
    # A folder in the way of the file: the tests may run as root, who can write anywhere.
    (folder / SPEED_FILE).mkdir()
    run = measure_networks(_silent, root=tmp_path, today=TODAY)
    assert list(run.speeds) == ["emotion"]
    assert "cannot be written" in str(run.problems[0])
    assert sorted(file.name for file in folder.iterdir()) == ["card.json", "model.tflite", SPEED_FILE]


def test_only_those_that_are_asked_for(tmp_path: Path) -> None:
    nothing = measure_networks(_silent, root=tmp_path, today=TODAY)
    assert (dict(nothing.speeds), nothing.problems) == ({}, ())
    for name in ("first", "second"):
        write_network(tmp_path, name, "emotion", {})
    run = measure_networks(_silent, ("second",), tmp_path, TODAY, time_network=lambda folder: 2.0)
    assert {name: speed.ms_per_face for name, speed in run.speeds.items()} == {"second": 2.0}
    with pytest.raises(ConfigError, match="for third; networks that have one: first, second"):
        measure_networks(_silent, ("third",), tmp_path, TODAY)


@pytest.mark.parametrize(
    ("text", "name"),
    [("processor : 0\nmodel name\t: Fast CPU @ 3 GHz\n", "Fast CPU @ 3 GHz"), ("model name :\nmodel name : X\n", "X")],
)
def test_the_processor_is_named(tmp_path: Path, text: str, name: str) -> None:
    assert cpu_name(tmp_path / "cpuinfo"), "always"
    (tmp_path / "cpuinfo").write_text(text)
    assert cpu_name(tmp_path / "cpuinfo") == name
