from __future__ import annotations

from pathlib import Path

from core.evaluation.leaderboard import Group, load_leaderboard
from core.evaluation.leaderboard_tables import leaderboard_table
from core.evaluation.plots.leaderboard import comparable_rows, speed_scatter
from tests.fakes.leaderboard import figures, write_network, write_networks, write_peer


def _group(root: Path, key: str) -> Group:
    return next(group for group in load_leaderboard(root).groups if group.measure.key == key)


def test_own_models_stand_out_from_the_baselines(tmp_path: Path) -> None:
    figure = speed_scatter(_group(write_networks(tmp_path), "emotion"), "Title")
    figure.to_json()
    own, baselines = figure.data
    assert (own.name, list(own.x), list(own.y), list(own.text)) == ("Facet", [1.0], [0.68], ["emotion"])
    assert (list(baselines.x), list(baselines.y), list(baselines.text)) == ([0.5], [0.61], ["four_conv"])
    assert own.marker.color != baselines.marker.color
    assert figure.layout.title.text == "Title"
    assert figure.layout.xaxis.type == "log"


def test_packages_stand_out_too(tmp_path: Path) -> None:
    write_peer(write_networks(tmp_path), "peer", "peer 1.0", "emotion", {"private": figures(accuracy=0.65)})
    traces = speed_scatter(_group(tmp_path, "emotion"), "Title").data
    assert {trace.name: list(trace.hovertext) for trace in traces}["Package"] == ["peer 1.0"]
    assert len({trace.marker.color for trace in traces}) == len({trace.marker.symbol for trace in traces}) == 3


def test_lower_error_is_up_and_latency_is_needed(tmp_path: Path) -> None:
    figure = speed_scatter(_group(write_networks(tmp_path), "age"), "Title")
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.title.text == "Age MAE (years)"
    assert [name for trace in figure.data for name in trace.hovertext] == ["age_gender", "levi_hassner"]


def test_the_best_three_have_their_names(tmp_path: Path) -> None:
    for rank, name in enumerate("abcde"):
        write_network(tmp_path, name, "emotion", {"private": figures(accuracy=0.9 - rank / 10)}, ms=1.0 + rank)
    (points,) = speed_scatter(_group(tmp_path, "emotion"), "Title").data
    assert list(points.text) == ["a", "b", "c", "", ""]
    assert list(points.hovertext) == list("abcde")
    assert points.textposition[0] == "middle right"


def test_latency_of_another_machine_is_left_out(tmp_path: Path) -> None:
    for name, machine in (("one", "This CPU"), ("other", "Faster CPU"), ("two", "This CPU")):
        write_network(tmp_path, name, "emotion", {"private": figures(accuracy=0.5)}, ms=1.0, machine=machine)
    table = comparable_rows(leaderboard_table(_group(tmp_path, "emotion")))
    assert table["model"].tolist() == ["one", "two"]


def test_without_latency_the_figure_says_so(tmp_path: Path) -> None:
    figure = speed_scatter(_group(write_networks(tmp_path), "emotion_five"), "Title")
    assert not figure.data
    assert "latency" in figure.layout.annotations[0].text
