from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.evaluation.leaderboard import Group, load_leaderboard
from core.evaluation.plots.leaderboard import comparable_rows, label_places, speed_scatter
from tests.fakes.leaderboard import figures, write_network, write_networks


def _group(root: Path, key: str) -> Group:
    return next(group for group in load_leaderboard(root).groups if group.measure.key == key)


def test_ours_stand_out_from_the_others(tmp_path: Path) -> None:
    figure = speed_scatter(_group(write_networks(tmp_path), "emotion"), "Title")
    figure.to_json()
    ours, others = figure.data
    assert (list(ours.x), list(ours.y), list(ours.text)) == ([1.0], [0.68], ["emotion"])
    assert (list(others.x), list(others.y), list(others.text)) == ([0.5], [0.61], ["four_conv"])
    assert ours.marker.color != others.marker.color
    assert ours.name == "Ours"
    assert figure.layout.title.text == "Title"
    assert figure.layout.xaxis.type == "log"


def test_less_error_is_up_and_what_was_not_timed_is_left_out(tmp_path: Path) -> None:
    figure = speed_scatter(_group(write_networks(tmp_path), "age"), "Title")
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.title.text == "Mean age error (years)"
    assert [name for trace in figure.data for name, *_ in trace.customdata] == ["age_gender", "levi_hassner"]


def test_times_of_another_machine_are_left_out(tmp_path: Path) -> None:
    for name, machine in (("one", "This CPU"), ("other", "Faster CPU"), ("two", "This CPU")):
        write_network(tmp_path, name, "emotion", {"private": figures(accuracy=0.5)}, ms=1.0, machine=machine)
    assert [row.network.name for row in comparable_rows(_group(tmp_path, "emotion"))] == ["one", "two"]


def test_without_times_the_figure_says_so(tmp_path: Path) -> None:
    figure = speed_scatter(_group(write_networks(tmp_path), "emotion_five"), "Title")
    assert not figure.data
    assert "timed" in figure.layout.annotations[0].text


def test_a_single_network_has_its_name_too(tmp_path: Path) -> None:
    write_network(tmp_path, "alone", "emotion", {"private": figures(accuracy=0.5)}, ms=1.0)
    assert list(speed_scatter(_group(tmp_path, "emotion"), "Title").data[0].text) == ["alone"]


def _boxes(points: np.ndarray, texts: list[str], places: list[str]) -> list[tuple[float, float, float, float]]:
    """As they are drawn, roughly: one hundredth of the figure a letter."""
    way = {"top center": (0, 1), "bottom center": (0, -1), "middle right": (1, 0), "middle left": (-1, 0)}
    boxes = []
    for (x, y), text, place in zip(points, texts, places, strict=True):
        if place:
            wide, (right, up) = 0.01 * len(text), way[place]
            middle, height = x + right * (wide / 2 + 0.02), y + up * 0.05
            boxes.append((middle - wide / 2, height - 0.02, middle + wide / 2, height + 0.02))
    return boxes


@pytest.mark.parametrize("seed", range(5))
def test_names_never_lie_on_each_other(seed: int) -> None:
    points = np.random.default_rng(seed).uniform(0.2, 0.8, (12, 2))
    texts = [f"network_number_{row}" for row in range(12)]
    places = label_places(points, texts)
    boxes = _boxes(points, texts, places)
    assert places[0]
    assert len(boxes) >= 3
    for row, one in enumerate(boxes):
        for other in boxes[:row]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart, (one, other)


def test_names_stay_inside_the_figure() -> None:
    assert label_places(np.array([[0.95, 0.5], [0.05, 0.2]]), ["to the left", "to the right"]) == [
        "middle left",
        "middle right",
    ]


def test_who_has_more_choice_gives_way() -> None:
    points = np.array([[0.5, 0.8], [0.63, 0.15], [0.15, 0.15]])
    places = label_places(points, ["ours", "short name", "a name that fits on one side"])
    assert places[1:] == ["middle right", "middle right"]


def test_there_is_no_room_for_names_in_a_crowd() -> None:
    places = label_places(np.full((9, 2), 0.5), ["the same place"] * 9)
    assert 1 <= sum(place != "" for place in places) <= 4
