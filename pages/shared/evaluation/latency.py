"""Tab about speed: milliseconds of every stage on this server, measured on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.benchmark import run_benchmark
from core.detection.registry import default_detector_name
from core.errors import FacetError
from core.evaluation.plots.latency import stage_bars, stage_table
from pages.shared.errors import show_error
from pages.shared.evaluation.components import show_figure, show_table

_REPEATS = 30
_RESULT_KEY = "evaluation_speed"

Progress = Callable[[float], object]


def run_default_benchmark(progress: Progress) -> dict[str, Any]:
    """Time the default models with the detector that the pages use by default."""
    return run_benchmark(_REPEATS, default_detector_name(), progress)


def show_speed(measure: Callable[[Progress], dict[str, Any]] = run_default_benchmark) -> None:
    st.markdown(
        f"Measures every stage on this server ({_REPEATS} runs, one CPU core, default models). Takes about a minute."
    )
    if st.button("Measure on this server", key="speed_start", icon=":material/speed:"):
        _measure(measure)
    result: dict[str, Any] | None = st.session_state.get(_RESULT_KEY)
    if result is None:
        return
    table = stage_table(result["stages"])
    show_figure(
        stage_bars(table, "Time per stage"),
        "speed_stages",
        "Look at the longest bar: it decides how many frames per second are possible.",
        f"Median of {result['repeats']} runs; frame {result['frame']} px, detector “{result['detector']}”. "
        "Shorter is better. Tracking and drawing are not included.",
    )
    show_table(table, "speed_stages.csv", "table_speed_stages")


def _measure(measure: Callable[[Progress], dict[str, Any]]) -> None:
    bar = st.progress(0.0, "Timing every stage …")
    try:
        # Only the latest is kept, so a session's memory does not grow.
        st.session_state[_RESULT_KEY] = measure(lambda share: bar.progress(share, "Timing every stage …"))
    except FacetError as error:
        st.session_state.pop(_RESULT_KEY, None)
        show_error(error)
    finally:
        bar.empty()
