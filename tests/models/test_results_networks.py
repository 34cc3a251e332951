"""The README's table of all networks, from made-up cards."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ArtifactError
from core.evaluation.leaderboard import load_leaderboard
from models.results_networks import render_networks
from tests.fakes.leaderboard import figures, write_network, write_networks


def _lines(root: Path) -> list[str]:
    return render_networks(load_leaderboard(root)).splitlines()


def _row(root: Path, start: str) -> list[str]:
    return [line for line in _lines(root) if line.startswith(f"| {start}")]


def test_measured_stands_beside_claimed(tmp_path: Path) -> None:
    write_networks(tmp_path)
    assert _row(tmp_path, "four_conv") == [
        "| four_conv | 61.0% (60.0% to 62.0%) | 61.6 % on validation; 85 %, elsewhere | 680,000 | 0.50 | 12 of 30 |"
    ]
    assert _row(tmp_path, "**emotion**") == [
        "| **emotion** | 68.0% (67.0% to 69.0%) | – | 680,000 | 1.00 | 12 |",
    ]


def test_a_network_that_has_to_be_made_first_has_a_star(tmp_path: Path) -> None:
    gender, age = _row(write_networks(tmp_path), "vgg16_age \\*")
    assert "| 90.0% (89.0% to 91.0%) | none found |" in gender
    assert "| 6.00 years (5.99 to 6.01) | 64 % |" in age
    assert "| – | 12 of 30 |" in age


def test_the_table_is_the_same_where_the_file_was_made(tmp_path: Path) -> None:
    before = _lines(write_networks(tmp_path))
    (tmp_path / "vgg16_age" / "model.tflite").write_bytes(b"made here")
    assert _lines(tmp_path) == before


def test_every_kind_of_figure_has_its_table(tmp_path: Path) -> None:
    lines = _lines(write_networks(tmp_path))
    assert sum(line.startswith("| Network |") for line in lines) == 5
    assert "Emotion, 7 classes, FER2013 PrivateTest (100 images):" in lines
    assert "ms: one face on one thread of Test CPU." in lines[0]


def test_who_claims_what_is_listed_below(tmp_path: Path) -> None:
    *_, last = _lines(write_networks(tmp_path))
    assert last.startswith("Claims are from: ")
    assert "a report without a name (vgg16_age)" in last
    assert "Somebody 2015 (four_conv, five_emotions, levi_hassner)" in last


def test_ours_alone_make_no_claims(tmp_path: Path) -> None:
    write_network(tmp_path, "emotion", "emotion", {"private": figures(accuracy=0.5)})
    text = render_networks(load_leaderboard(tmp_path))
    assert "Claims are from" not in text
    assert "ms: one face" not in text


def test_a_table_that_would_not_be_complete_is_refused(tmp_path: Path) -> None:
    (write_networks(tmp_path) / "four_conv" / "card.json").write_text("{")
    with pytest.raises(ArtifactError, match="would not be complete"):
        render_networks(load_leaderboard(tmp_path))
