"""Tab that compares all networks: Facet's models and published architectures that were re-trained here."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.artifacts.model_card import PREDICTIONS_FILE
from core.evaluation.latency import IMAGES, RUNS
from core.evaluation.leaderboard import Group, Leaderboard, differences_to_best, load_leaderboard
from core.evaluation.leaderboard_tables import Differences, whole_table
from pages.shared.errors import show_error
from pages.shared.evaluation.cache import Stamps, file_stamps
from pages.shared.evaluation.components import download_table, show_open_tab
from pages.shared.evaluation.leaderboard_group import show_group
from pages.shared.markdown import escape_markdown

_INTRODUCTION = (
    "Scores of one table are from the same test images. Baselines are published architectures, re-trained on the same "
    "data as Facet's models. Packages are measured as they are published. **Reported** is the authors' result, usually "
    "on other data; it is not ranked."
)


def show_leaderboard() -> None:
    st.markdown(_INTRODUCTION)
    board = load_leaderboard()
    st.caption(_describe_latency(board))
    for problem in board.problems:
        show_error(problem)
    if not board.groups:
        st.info("No installed network has metrics, so there is nothing to compare.")
        return
    differences = {group.title: _differences(group, group.title, _stamps(group)) for group in board.groups}
    tabs = {group.title: partial(show_group, group, differences[group.title]) for group in board.groups}
    show_open_tab(tabs, "evaluation_leaderboard_tab")
    download_table(whole_table(board, differences), "leaderboard.csv", "table_leaderboard")
    _show_install_commands(board)


@st.cache_data(max_entries=64, show_spinner=False)
def _differences(_group: Group, title: str, stamps: Stamps) -> Differences:
    """``title`` and ``stamps`` tell groups and versions of their stored predictions apart."""
    return differences_to_best(_group)


def _stamps(group: Group) -> Stamps:
    return file_stamps(*(row.network.folder / PREDICTIONS_FILE for row in group.rows))


def _describe_latency(board: Leaderboard) -> str:
    how = f"Latency: median of {IMAGES * RUNS} runs per network, one face at a time on one CPU core."
    if not board.cpus:
        return f"{how} Not measured yet."
    cpus = escape_markdown(", ".join(board.cpus))
    if len(board.cpus) == 1:
        return f"{how} Measured on: {cpus}."
    return f"{how} Measured on different CPUs ({cpus}): not comparable until measured again on one."


def _show_install_commands(board: Leaderboard) -> None:
    found = [network.install_commands for network in board.networks.values() if network.install_commands]
    if not found:
        return
    commands, missing = [command for listed in found for command in listed], len(found)
    with st.expander(f"Networks that are not installed ({missing})"):
        st.markdown(
            "Model files of 5 MB and more are not included; their predictions and metrics are. With the data sets in "
            "`data`, these commands train and export them:"
        )
        st.code("\n".join(commands), language="bash")
