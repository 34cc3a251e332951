"""The choice of the networks: a select box for each attribute, and what happens when a chosen one cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.attributes.catalog import BASELINE, Network, list_networks, network_choice, resolve_artifact
from core.errors import FacetError
from core.settings import DEFAULT_NETWORKS, Attributes, NetworkChoice
from pages.shared import resources
from pages.shared.markdown import plain

TITLES = {"emotion": "Emotion", "age": "Age", "gender": "Perceived gender"}


@dataclass(frozen=True, slots=True)
class UsedNetworks:
    """What answers, and for each network that was chosen in vain why it does not."""

    choice: NetworkChoice
    problems: tuple[str, ...] = ()


def label(network: Network) -> str:
    """For example ``emotion - our own``; classic ones by their name alone, which fills the box."""
    return network.name if network.kind == BASELINE else f"{network.name} - {network.kind}"


def choose_networks(attributes: Attributes, page: str) -> UsedNetworks:
    """Draws the select boxes of a page's sidebar; ``page`` begins the keys of the widgets. Raises ``ConfigError`` if a
    configured default is unknown."""
    default = network_choice().by_attribute
    with st.expander("Networks", icon=":material/hub:"):
        st.caption(
            "What reads each face. Each network gets the face framed as it was trained with. Those called missing "
            "have to be made first."
        )
        chosen = {name: _select(name, default[name], name in attributes.read, page) for name in default}
    return _usable(chosen)


def _select(attribute: str, default: str, read: bool, page: str) -> str:
    listed = {network.name: network for network in list_networks(attribute)}
    name = st.selectbox(
        TITLES[attribute],
        list(listed),
        index=list(listed).index(default),
        format_func=lambda name: label(listed[name]),
        key=f"{page}_{attribute}_network",
        persist_state="session",
        disabled=not read,
    )
    if listed[name].title and name != DEFAULT_NETWORKS.by_attribute[attribute]:
        st.caption(plain(listed[name].title))
    return name


def _usable(chosen: dict[str, str]) -> UsedNetworks:
    """``chosen`` with ours in place of those that cannot be loaded. Ours themselves are left to the analyzer: without
    them there is nothing to go on with."""
    problems = []
    for attribute, ours in DEFAULT_NETWORKS.by_attribute.items():
        if chosen[attribute] == ours:
            continue
        try:
            resources.get_estimator(resolve_artifact(chosen[attribute], attribute))
        except FacetError as error:
            chosen = chosen | {attribute: ours}
            problems.append(f"{plain(str(error))}\n\nUntil then, {TITLES[attribute].lower()} is read by: {ours}.")
    return UsedNetworks(NetworkChoice(**chosen), tuple(problems))


def show_problems(networks: UsedNetworks) -> None:
    """Says what could not be used and what to put where."""
    # Always one element, message or not: what comes after it, such as running video, keeps its place on the page.
    with st.container():
        for problem in networks.problems:
            st.warning(problem, icon=":material/sync_problem:")
