"""The networks that can be chosen for each attribute, and how they are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from core import environment
from core.artifacts.model_card import InstalledArtifact, ModelCard, artifacts_dir, is_served, list_artifacts
from core.attributes.caffe import CAFFE, PAIRS, CaffeEstimator
from core.attributes.estimator import Estimator, LiteRTEstimator
from core.errors import ConfigError
from core.settings import DEFAULT_NETWORKS, NetworkChoice

BUILT_IN, BASELINE, OWN_FILES = "built-in", "baseline", "model files not included"
COMPARED, NOT_INCLUDED = "comparison only", "not installed"

_NOTHING_GIVEN: Mapping[str, str | None] = MappingProxyType({})
_CAFFE_PARTS = {f"{CAFFE}_{attribute}": attribute for attribute in PAIRS}


@dataclass(frozen=True, slots=True)
class Network:
    """A network that can be chosen. ``kind``: display text for its origin; ``title``: as on its card."""

    name: str
    kind: str
    title: str = ""


def list_networks(attribute: str, root: Path | None = None) -> tuple[Network, ...]:
    """List the networks that predict ``attribute``: the default (even if broken), then by kind, Caffe last. Peers are
    measured only."""
    default = Network(DEFAULT_NETWORKS.by_attribute[attribute], BUILT_IN)
    found = [
        Network(artifact.name, _kind(artifact, artifact.card), artifact.card.title)
        for artifact in list_artifacts(root)
        if artifact.card is not None and attribute in artifact.card.attributes and not artifact.card.is_peer
    ]
    order = (BUILT_IN, BASELINE, COMPARED, NOT_INCLUDED)
    found.sort(key=lambda network: (network.name != default.name, order.index(network.kind), network.name))
    if not found or found[0].name != default.name:
        found.insert(0, default)
    if attribute in PAIRS:
        found.append(Network(CAFFE, OWN_FILES, PAIRS[attribute].title))
    return tuple(found)


def _kind(artifact: InstalledArtifact, card: ModelCard) -> str:
    if not is_served(artifact.folder, card):
        return NOT_INCLUDED
    if card.is_for_comparison:
        return COMPARED
    return BASELINE if card.is_baseline else BUILT_IN


def network_choice(given: Mapping[str, str | None] = _NOTHING_GIVEN) -> NetworkChoice:
    """Choose a network per attribute: the ``given`` one, else that of its environment variable, else the default.

    Raises ``ConfigError`` for a name that ``list_networks`` does not list.
    """
    chosen: dict[str, str] = {}
    for attribute, variable in environment.NETWORKS.items():
        wanted, configured = given.get(attribute), environment.read_variable(variable)
        chosen[attribute] = name = wanted or configured or DEFAULT_NETWORKS.by_attribute[attribute]
        # Defaults are not looked up: that would read every card for nothing.
        if name == DEFAULT_NETWORKS.by_attribute[attribute]:
            continue
        allowed = [network.name for network in list_networks(attribute)]
        if name not in allowed:
            source = f"the {attribute} network" if wanted else variable
            raise ConfigError(f"{source} must be one of {', '.join(allowed)}, got {name!r}")
    return NetworkChoice(**chosen)


def resolve_artifact(name: str, attribute: str) -> str:
    """Return what to load for a chosen name: the artifact, which may have more attributes, or the Caffe pair."""
    return f"{name}_{attribute}" if name == CAFFE else name


def load_estimator(part: str) -> Estimator:
    """Load what ``resolve_artifact`` returned. Raises ``ArtifactError``, saying what to do."""
    if part in _CAFFE_PARTS:
        return CaffeEstimator(_CAFFE_PARTS[part])
    return LiteRTEstimator(artifacts_dir() / part)


def load_networks(choice: NetworkChoice, load: Callable[[str], Estimator] = load_estimator) -> dict[str, Estimator]:
    """Load the network of each attribute; one with several attributes is loaded once. Raises ``ArtifactError``."""
    parts = {attribute: resolve_artifact(name, attribute) for attribute, name in choice.by_attribute.items()}
    loaded = {part: load(part) for part in dict.fromkeys(parts.values())}
    return {attribute: loaded[part] for attribute, part in parts.items()}
