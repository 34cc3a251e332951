"""Tab about speed and size: milliseconds of every stage on this machine, measured when asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core.detection.registry import default_detector_name
from core.errors import FacetError
from core.evaluation.plots.latency import network_bars, network_table, size_table, stage_bars, stage_table
from core.evaluation.speed import REPEATS, Progress, SpeedReport, keras_times, measure_speed, network_sizes
from pages.shared.errors import show_error
from pages.shared.evaluation.components import show_figure, show_table
from pages.shared.markdown import escape_markdown

_KERAS_COMMAND = (sys.executable, "-m", "models.keras_speed")
_REPORT_KEY = "evaluation_speed"


def measure_here(progress: Progress) -> SpeedReport:
    """With the detector that the pages use by default."""
    return measure_speed(partial(keras_times, command=_KERAS_COMMAND), default_detector_name(), progress)


def show_speed(measure: Callable[[Progress], SpeedReport] = measure_here) -> None:
    st.markdown(
        f"Times every step from picture to answer on the machine that this app runs on, {REPEATS} times each on one "
        "processor core, with our own networks, whatever is chosen elsewhere. For comparison, the same networks are "
        "asked through Keras' `predict`, as apps like this one often do for each face. It takes about a minute; other "
        "work on the machine makes every figure larger."
    )
    if st.button("Measure on this machine", key="speed_start", icon=":material/speed:"):
        _measure(measure)
    report: SpeedReport | None = st.session_state.get(_REPORT_KEY)
    if report is None:
        st.markdown("**The networks**")
        show_table(size_table(network_sizes()), "sizes.csv", "table_sizes")
        return
    _show(report)


def _measure(measure: Callable[[Progress], SpeedReport]) -> None:
    bar = st.progress(0.0, "Loading the models …")

    def progress(share: float, text: str) -> None:
        bar.progress(min(max(share, 0.0), 1.0), text)

    try:
        # Only the latest is kept, so a session's memory does not grow.
        st.session_state[_REPORT_KEY] = measure(progress)
    except FacetError as error:
        st.session_state.pop(_REPORT_KEY, None)
        show_error(error)
    finally:
        bar.empty()


def _show(report: SpeedReport) -> None:
    # Only those that answer by default are timed; the others have the leaderboard.
    sizes = tuple(one for one in network_sizes() if report.served(one.name) is not None)
    show_figure(
        stage_bars(report, "Time of every step"),
        "speed_stages",
        f"Shorter is better: median of {report.repeats} runs on one of {report.cores} processor cores, with a frame of "
        f"{report.frame} pixels, the detector “{report.detector}” and the networks {_quoted(report.networks)}. “Whole "
        "frame” is finding and reading the faces of one picture of a live video; converting the picture, following the "
        "faces and drawing come on top.",
    )
    show_table(stage_table(report), "speed_stages.csv", "table_speed_stages")
    st.caption("p95: 19 of 20 runs took at most this long.")
    if report.keras is None:
        st.info(f"No times of Keras. {escape_markdown(report.keras_failure)}", icon=":material/timer_off:")
    else:
        show_figure(
            network_bars(report, sizes, "One face through the networks"),
            "speed_networks",
            "The same network on the same core: as this app serves it, and by Keras' predict, which is made for large "
            "batches and costs time with every call. Before the first answer, importing TensorFlow took another "
            f"{report.keras.import_s:.1f} seconds.",
        )
    show_table(network_table(report, sizes), "speed_networks.csv", "table_speed_networks")


def _quoted(names: Sequence[str]) -> str:
    return " and ".join(f"“{name}”" for name in names)
