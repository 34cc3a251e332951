"""The choice of the face detector: its widget, and what happens when the chosen one cannot be used."""

from __future__ import annotations

import streamlit as st

from core.analyzer import FaceAnalyzer
from core.detection import DEFAULT_DETECTOR, DETECTORS
from core.detection.registry import default_detector_name
from core.errors import FacetError
from core.settings import DetectorSettings, NetworkChoice
from pages.shared import resources
from pages.shared.markdown import plain

TITLES = {
    "compact": "compact - our own network",
    "haar": "haar - classic, for upright faces",
    "yunet": "yunet - needs a file of yours",
}
_LAST_USED = "detector_last_used"


def title_of(name: str) -> str:
    return TITLES.get(name, name)


def choose_detector(key: str) -> str:
    """The select box of a page's sidebar. Raises ``ConfigError`` if the configured default is unknown."""
    names = list(DETECTORS)
    return st.selectbox(
        "Face detector",
        names,
        index=names.index(default_detector_name()),
        format_func=title_of,
        key=key,
        persist_state="session",
        help="What looks for faces. Where it also marks eyes, nose and mouth, tilted faces are turned upright "
        "before they are read.",
    )


def chosen_analyzer(settings: DetectorSettings, name: str, networks: NetworkChoice) -> tuple[FaceAnalyzer, str]:
    """The analyzer with the detector ``name``, and that name. If the detector cannot be used, says so on the page and
    goes on with the one used last, or with the default. Raises ``FacetError`` if none of them can be used."""
    reason: FacetError | None = None
    # Always one element, message or not: what comes after it, such as running video, keeps its place on the page.
    with st.container():
        for candidate in dict.fromkeys((name, st.session_state.get(_LAST_USED, name), DEFAULT_DETECTOR)):
            try:
                analyzer = resources.get_analyzer(settings, candidate, networks)
            except FacetError as error:
                reason = reason or error
                continue
            if reason is not None:
                _show_replacement(reason, candidate)
            st.session_state[_LAST_USED] = candidate
            return analyzer, candidate
    assert reason is not None
    raise reason


def _show_replacement(reason: FacetError, used: str) -> None:
    message = f"{plain(str(reason))}\n\nUntil then, faces are found with: {title_of(used)}."
    st.warning(message, icon=":material/frame_person_off:")
