"""Sidebar widgets that the live and the image page share: detector, attributes, models, confidence thresholds.

Settings survive a visit of another page: faces that were blurred must still be blurred afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from core.analyzer import FaceAnalyzer
from core.attributes.catalog import BASELINE, Network, list_networks, network_choice, resolve_artifact
from core.detection import DEFAULT_DETECTOR, DETECTORS
from core.detection.registry import default_detector_name
from core.errors import FacetError
from core.settings import DEFAULT_NETWORKS, Attributes, DetectorSettings, NetworkChoice, OverlayStyle
from pages.shared import resources
from pages.shared.markdown import escape_markdown

ATTRIBUTE_TITLES = {"emotion": "Emotion", "age": "Age", "gender": "Perceived gender"}
DETECTOR_TITLES = {
    "facet": "Facet (default)",
    "haar": "Haar cascade (frontal only)",
    "yunet": "YuNet (model file not included)",
}
LOWEST_PERCENT = {"emotion": 0, "gender": 50}
"""Threshold at which no prediction is uncertain: the larger of two probabilities is at least 50 %."""
_LAST_DETECTOR = "detector_last_used"


@dataclass(frozen=True, slots=True)
class ResolvedNetworks:
    """The networks to use, and for each chosen network that cannot be loaded a message that says why."""

    choice: NetworkChoice
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageSettings:
    """All settings of a sidebar; ``style`` changes the drawing only."""

    detector: DetectorSettings
    detector_name: str
    networks: ResolvedNetworks
    attributes: Attributes
    style: OverlayStyle


def choose_detector(key: str) -> str:
    """Draw the select box and return the detector's name. Raises ``ConfigError`` if the configured default is
    unknown."""
    names = list(DETECTORS)
    return st.selectbox(
        "Face detector",
        names,
        index=names.index(default_detector_name()),
        format_func=_detector_title,
        key=key,
        persist_state="session",
        help="Facet and YuNet also find eyes, nose and mouth, so tilted faces are straightened before prediction.",
    )


def choose_sensitivity(page: str) -> float:
    """Draw the slider; ``page`` is the prefix of its key."""
    return st.slider(
        "Sensitivity",
        0.0,
        1.0,
        DetectorSettings().sensitivity,
        0.05,
        key=f"{page}_sensitivity",
        persist_state="session",
        help="Higher finds more faces, but also more false positives.",
    )


def choose_style(page: str, blur_help: str) -> OverlayStyle:
    """Draw the toggles; ``page`` is the prefix of their keys."""
    st.header("Display")
    return OverlayStyle(
        labels=draw_toggle("Labels", f"{page}_labels"),
        blur_faces=draw_toggle("Blur faces", f"{page}_blur", value=False, help=blur_help),
    )


def load_analyzer(settings: DetectorSettings, name: str, networks: ResolvedNetworks) -> tuple[FaceAnalyzer, str]:
    """Return the analyzer and the name of its detector. If ``name`` cannot be loaded, fall back to the one used last,
    then to the default. Each replaced detector or network gets a warning. Raises ``FacetError`` if no detector
    can be loaded."""
    reason: FacetError | None = None
    # Always one element, message or not: what comes after it, such as running video, keeps its place on the page.
    with st.container():
        for problem in networks.problems:
            st.warning(problem, icon=":material/sync_problem:")
        for candidate in dict.fromkeys((name, st.session_state.get(_LAST_DETECTOR, name), DEFAULT_DETECTOR)):
            try:
                analyzer = resources.get_analyzer(settings, candidate, networks.choice)
            except FacetError as error:
                reason = reason or error
                continue
            if reason is not None:
                message = (
                    f"{escape_markdown(str(reason))}\n\nUsing this detector instead: {_detector_title(candidate)}."
                )
                st.warning(message, icon=":material/frame_person_off:")
            st.session_state[_LAST_DETECTOR] = candidate
            return analyzer, candidate
    assert reason is not None
    raise reason


def choose_attributes(page: str) -> tuple[Attributes, ResolvedNetworks]:
    """Draw the widgets of attributes, models and thresholds; ``page`` is the prefix of their keys.

    Raises ``ConfigError`` if a configured network is unknown and ``ArtifactError`` if a model card cannot be read.
    """
    st.header("Attributes")
    read = {
        name: draw_toggle(
            title, f"{page}_{name}", help="How strangers are likely to label a face." if name == "gender" else None
        )
        for name, title in ATTRIBUTE_TITLES.items()
    }
    attributes = Attributes(**read)
    networks = choose_networks(attributes, page)
    return choose_thresholds(attributes, page, networks.choice), networks


def draw_toggle(label: str, key: str, value: bool = True, help: str | None = None) -> bool:
    """Draw a toggle whose state survives a visit of another page."""
    return st.toggle(label, value, key=key, persist_state="session", help=help)


def choose_networks(attributes: Attributes, page: str) -> ResolvedNetworks:
    """Draw one select box per attribute; ``page`` is the prefix of the widget keys. Raises ``ConfigError`` if a
    configured default is unknown."""
    default = network_choice().by_attribute
    with st.expander("Models", icon=":material/hub:"):
        st.caption("The model used for each attribute. Models marked “not installed” must be trained first.")
        chosen = {name: _choose_network(name, default[name], name in attributes.read, page) for name in default}
    return _resolve_networks(chosen)


def choose_thresholds(attributes: Attributes, page: str, networks: NetworkChoice = DEFAULT_NETWORKS) -> Attributes:
    """Draw the sliders and return ``attributes`` with the chosen thresholds; ``page`` is the prefix of the widget keys.
    Raises ``ArtifactError`` if a model card, which holds the default, cannot be read."""
    defaults = resources.card_minimums(networks)
    with st.expander("Confidence thresholds", icon=":material/rule:"):
        st.caption("Predictions below the threshold are shown as “uncertain”, with their two most likely classes.")
        emotion, gender = (
            _choose_threshold(name, defaults.get(name, 0.0), name in attributes.read, page, networks.by_attribute[name])
            for name in LOWEST_PERCENT
        )
    return replace(attributes, min_emotion_confidence=emotion, min_gender_confidence=gender)


def _detector_title(name: str) -> str:
    return DETECTOR_TITLES.get(name, name)


def _network_title(network: Network) -> str:
    # Names of baselines are long and fill the box.
    return network.name if network.kind == BASELINE else f"{network.name} ({network.kind})"


def _choose_network(attribute: str, default: str, read: bool, page: str) -> str:
    listed = {network.name: network for network in list_networks(attribute)}
    name = st.selectbox(
        ATTRIBUTE_TITLES[attribute],
        list(listed),
        index=list(listed).index(default),
        format_func=lambda name: _network_title(listed[name]),
        key=f"{page}_{attribute}_network",
        persist_state="session",
        disabled=not read,
    )
    if listed[name].title and name != DEFAULT_NETWORKS.by_attribute[attribute]:
        st.caption(escape_markdown(listed[name].title))
    return name


def _resolve_networks(chosen: dict[str, str]) -> ResolvedNetworks:
    """Replace networks that cannot be loaded by the defaults. The defaults themselves are not tried here: without them
    the analyzer has nothing to fall back to, and raises."""
    problems = []
    for attribute, default in DEFAULT_NETWORKS.by_attribute.items():
        if chosen[attribute] == default:
            continue
        try:
            resources.get_estimator(resolve_artifact(chosen[attribute], attribute))
        except FacetError as error:
            chosen = chosen | {attribute: default}
            title = ATTRIBUTE_TITLES[attribute].lower()
            problems.append(f"{escape_markdown(str(error))}\n\nUsing this model for {title} instead: {default}.")
    return ResolvedNetworks(NetworkChoice(**chosen), tuple(problems))


def _choose_threshold(attribute: str, default: float, read: bool, page: str, network: str) -> float | None:
    """Return the chosen threshold in [0, 1], or ``None`` for the model's own, which need not be a whole percent."""
    lowest = LOWEST_PERCENT[attribute]
    default_percent = max(lowest, round(default * 100))
    # Each network gets a slider of its own, which starts at that network's default.
    suffix = "" if network == DEFAULT_NETWORKS.by_attribute[attribute] else f"_{network}"
    percent = st.slider(
        f"{ATTRIBUTE_TITLES[attribute]}: minimum confidence",
        lowest,
        100,
        default_percent,
        format="%d%%",
        key=f"{page}_min_{attribute}{suffix}",
        persist_state="session",
        disabled=not read,
        help=f"Predictions below this are shown as “uncertain”. Default: {default_percent} %.",
    )
    return None if percent == default_percent else percent / 100
