"""Tab that compares all networks: Facet's models and published architectures that were re-trained here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.artifacts.model_card import PREDICTIONS_FILE
from core.errors import FacetError
from core.evaluation.latency import IMAGES, RUNS, Progress, SpeedRun, measure_networks
from core.evaluation.leaderboard import Group, Leaderboard, differences_to_best, load_leaderboard
from core.evaluation.leaderboard_tables import Differences, whole_table
from pages.shared.errors import show_error
from pages.shared.evaluation.cache import Stamps, file_stamps
from pages.shared.evaluation.components import download_table, show_open_tab
from pages.shared.evaluation.leaderboard_group import show_group
from pages.shared.markdown import escape_markdown

_RUN_KEY = "leaderboard_run"
_INTRODUCTION = (
    "Published architectures, re-trained on the same data as Facet's models and scored on the same test split. Scores "
    "are comparable within a table. **Reported** is the authors' result, usually on other data; it is not ranked."
)

MeasureSpeed = Callable[[Progress], SpeedRun]


def show_leaderboard(measure: MeasureSpeed = measure_networks) -> None:
    st.markdown(_INTRODUCTION)
    if st.button("Measure latency on this machine", key="leaderboard_measure", icon=":material/speed:"):
        _measure(measure)
    run: SpeedRun | None = st.session_state.get(_RUN_KEY)
    board = load_leaderboard(fresh=run.speeds) if run else load_leaderboard()
    st.caption(_describe_latency(board))
    for problem in (*board.problems, *(run.problems if run else ())):
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


def _measure(measure: MeasureSpeed) -> None:
    bar = st.progress(0.0, "Loading the networks …")

    def progress(share: float, name: str) -> None:
        bar.progress(min(max(share, 0.0), 1.0), f"Timing {name} …" if name else "Done")

    try:
        # Only the latest is kept, so a session's memory does not grow.
        st.session_state[_RUN_KEY] = measure(progress)
    except FacetError as error:
        st.session_state.pop(_RUN_KEY, None)
        show_error(error)
    finally:
        bar.empty()


def _describe_latency(board: Leaderboard) -> str:
    how = f"Latency: median of {IMAGES * RUNS} runs per network, one face at a time on one CPU core."
    if not board.machines:
        return f"{how} Not measured yet."
    machines = escape_markdown(", ".join(board.machines))
    if len(board.machines) == 1:
        return f"{how} Measured on: {machines}."
    return f"{how} Measured on different machines ({machines}): not comparable until measured again on one."


def _show_install_commands(board: Leaderboard) -> None:
    commands = [command for network in board.networks.values() for command in network.install_commands]
    missing = sum(not network.is_installed for network in board.networks.values())
    if not missing:
        return
    with st.expander(f"Networks that are not installed ({missing})"):
        st.markdown(
            "Model files of 5 MB and more are not included; their predictions and metrics are. With the data sets in "
            "`data`, these commands train and export them:"
        )
        st.code("\n".join(commands), language="bash")
