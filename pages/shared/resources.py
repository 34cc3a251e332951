"""Detectors and networks, loaded once per server and shared by all sessions."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.analyzer import FaceAnalyzer
from core.artifacts.model_card import artifacts_dir, load_card
from core.attributes.caffe import CAFFE
from core.attributes.catalog import load_estimator, load_networks
from core.attributes.estimator import Estimator
from core.attributes.quality import installed_settings
from core.detection import DEFAULT_DETECTOR, FaceDetector, create_detector
from core.settings import DEFAULT_NETWORKS, DetectorSettings, NetworkChoice, default_views


def get_analyzer(
    settings: DetectorSettings, detector_name: str, networks: NetworkChoice = DEFAULT_NETWORKS
) -> FaceAnalyzer:
    """Return an analyzer of warm detector and networks. The analyzer itself holds nothing else, so only its parts are
    cached. Raises ``FacetError``; a failure is not cached."""
    detector = get_detector(settings, detector_name)
    found, views = get_networks(networks), default_views(settings)
    return FaceAnalyzer(detector, found, installed_settings(), settings.any_orientation, views)


def get_photo_analyzer(name: str) -> FaceAnalyzer:
    """Return Facet's detector for photographs with the artifact ``name`` for age and gender, one view per face, as
    stored predictions are made. Raises ``FacetError``."""
    networks = get_networks(NetworkChoice(age=name, gender=name))
    used = {attribute: networks[attribute] for attribute in ("age", "gender")}
    detector = get_detector(DetectorSettings(), DEFAULT_DETECTOR)
    return FaceAnalyzer(detector, used, installed_settings(), any_orientation=True)


def get_networks(choice: NetworkChoice) -> dict[str, Estimator]:
    """Return attribute -> network, shared by all analyzers. Raises ``ArtifactError``."""
    return load_networks(choice, get_estimator)


@st.cache_resource(max_entries=32, show_spinner="Loading the models …")
def get_detector(settings: DetectorSettings, name: str) -> FaceDetector:
    """Load a detector and run it once. Raises ``DetectorError``, ``ArtifactError`` or ``ConfigError``."""
    detector = create_detector(name, settings)
    detector.detect(np.zeros((96, 128, 3), np.uint8))
    return detector


@st.cache_resource(max_entries=8, show_spinner="Loading the models …")
def get_estimator(part: str) -> Estimator:
    """Load a network (see ``core.attributes.catalog.resolve_artifact``) and run it once. The least recently used one
    leaves the cache; sessions that still use it keep it. Raises ``ArtifactError``."""
    estimator = load_estimator(part)
    card = estimator.card
    estimator.predict(np.zeros((1, card.input_size, card.input_size, card.channels), np.uint8))
    return estimator


@st.cache_data(max_entries=64)
def card_minimums(choice: NetworkChoice = DEFAULT_NETWORKS) -> dict[str, float]:
    """Return attribute -> default confidence threshold of its network, where the card has one. Raises
    ``ArtifactError``; a failure is not cached."""
    names = {attribute: name for attribute, name in choice.by_attribute.items() if name != CAFFE}
    cards = {name: load_card(artifacts_dir() / name) for name in dict.fromkeys(names.values())}
    found = {attribute: cards[name].min_confidence.get(attribute) for attribute, name in names.items()}
    return {attribute: value for attribute, value in found.items() if value is not None}
