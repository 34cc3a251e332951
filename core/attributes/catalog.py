"""Which networks there are for each attribute, which of them is chosen, and how they are opened."""

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
    """One that can be chosen. ``kind`` says in plain words where it comes from, ``title`` what its card calls it."""

    name: str
    kind: str
    title: str = ""


def list_networks(attribute: str, root: Path | None = None) -> tuple[Network, ...]:
    """Those that answer ``attribute``: the default, others of our own, classic ones, those that are there to be
    compared with, those whose served model is not included and has to be made first, and the user's own Caffe files.
    The default is there even if it is broken."""
    default = Network(DEFAULT_NETWORKS.by_attribute[attribute], BUILT_IN)
    found = [
        Network(one.name, _kind(one, one.card), one.card.title)
        for one in list_artifacts(root)
        if one.card is not None and attribute in one.card.attributes
    ]
    order = (BUILT_IN, BASELINE, COMPARED, NOT_INCLUDED)
    found.sort(key=lambda one: (one.name != default.name, order.index(one.kind), one.name))
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
    """For each attribute the network that is ``given``, else the one that its environment variable names, else ours.
    Raises ``ConfigError`` for a name that ``list_networks`` does not list."""
    chosen: dict[str, str] = {}
    for attribute, variable in environment.NETWORKS.items():
        wanted, configured = given.get(attribute), environment.read_variable(variable)
        chosen[attribute] = name = wanted or configured or DEFAULT_NETWORKS.by_attribute[attribute]
        # Ours are not looked up: that would read every card for nothing.
        if name == DEFAULT_NETWORKS.by_attribute[attribute]:
            continue
        allowed = [one.name for one in list_networks(attribute)]
        if name not in allowed:
            source = f"the {attribute} network" if wanted else variable
            raise ConfigError(f"{source} must be one of {', '.join(allowed)}, got {name!r}")
    return NetworkChoice(**chosen)


def resolve_artifact(name: str, attribute: str) -> str:
    """What is opened when ``name`` is chosen for ``attribute``: the artifact of that name, which may answer more than
    that, or the Caffe pair for that one."""
    return f"{name}_{attribute}" if name == CAFFE else name


def load_estimator(part: str) -> Estimator:
    """See ``resolve_artifact``. Raises ``ArtifactError``, saying what to do."""
    if part in _CAFFE_PARTS:
        return CaffeEstimator(_CAFFE_PARTS[part])
    return LiteRTEstimator(artifacts_dir() / part)


def load_networks(choice: NetworkChoice, open_one: Callable[[str], Estimator] = load_estimator) -> dict[str, Estimator]:
    """Attribute -> its network; one that answers several is opened once. Raises ``ArtifactError``."""
    parts = {attribute: resolve_artifact(name, attribute) for attribute, name in choice.by_attribute.items()}
    opened = {part: open_one(part) for part in dict.fromkeys(parts.values())}
    return {attribute: opened[part] for attribute, part in parts.items()}
