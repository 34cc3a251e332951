"""Why the networks answered as they did for one face: an occlusion map over it, made when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.attributes.alignment import align_faces
from core.attributes.estimator import Estimator
from core.attributes.occlusion import OcclusionMap, explain
from core.drawing import annotator
from core.drawing.heatmap import heat_overlay
from core.errors import FacetError
from core.io import images
from core.types import Detection, Face
from pages.shared.errors import show_error
from pages.shared.image.cache import EXPLANATIONS, remembered
from pages.shared.image.inputs import PictureFile
from pages.shared.sidebar import ATTRIBUTE_TITLES

HOW_TO_READ = (
    "Bright: covering this spot changes the answer most. The map shows what the answer depends on; it is no proof that "
    "the answer is right."
)
BEFORE_LOWERING = (
    "Shown is the answer as the network gave it. On the card above its confidence is lowered, because this face is "
    "blurred, tiny, turned away or hardly found."
)
NOTHING_STANDS_OUT = "No single spot matters much here: with any one of them covered, the answer stays nearly the same."
MAX_EXPLAINED = 24
"""Faces that the session remembers; one takes about half a megabyte."""

_PICTURE_PX = 256
_LEAST_CHANGE = {"emotion": 0.05, "age": 1.0, "gender": 0.05}
"""Of the probability or of the years: less is not worth a sentence."""
_LEAST_LOWERING = 0.005
"""Of a probability: less does not show in whole per cent."""

Networks = Mapping[str, Estimator]
"""Attribute -> the network that answers it."""
GetNetworks = Callable[[], Networks]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class _FaceViews:
    """One face as the network for each attribute sees it, (crop, the same square enlarged in BGR), and the maps made so
    far."""

    crops: dict[str, tuple[Picture, Picture]]
    maps: dict[str, OcclusionMap] = field(default_factory=dict)


@st.fragment
def show_explanation(
    file: PictureFile, fingerprint: str, face: Face, key: str, get_networks: GetNetworks, blur: bool = False
) -> None:
    """An expander with the map of ``face``, which was found in ``file``; nothing if nothing was read from it.

    ``fingerprint`` is the file's; ``key`` tells faces apart; ``get_networks`` is called, and the file decoded, only
    once the expander is open. ``blur`` keeps the face below the map unrecognisable.
    """
    attributes = [name for name in ATTRIBUTE_TITLES if getattr(face, name) is not None]
    if not attributes:
        return
    with st.expander("Why this answer?", key=f"explain_{key}", on_change="rerun") as expander:
        # Asked for anew with each run: while it is closed, nothing is computed.
        if not expander.open:
            return
        attribute = st.segmented_control(
            "Answer to explain",
            attributes,
            default=attributes[0],
            required=True,
            format_func=ATTRIBUTE_TITLES.__getitem__,
            key=f"explain_attribute_{key}",
            label_visibility="collapsed",
        )
        show_map = st.toggle("Show the map", True, key=f"explain_map_{key}")
        try:
            with st.spinner("Covering the face spot by spot …"):
                picture, occlusion = _explained(
                    file, fingerprint, face.detection, attribute or attributes[0], get_networks
                )
        except FacetError as error:
            show_error(error)
            return
        _show(annotator.pixelate(picture) if blur else picture, occlusion, show_map)
        if was_lowered(face, occlusion):
            st.caption(BEFORE_LOWERING)


def _show(picture: Picture, occlusion: OcclusionMap, show_map: bool) -> None:
    shown = heat_overlay(picture, occlusion) if show_map else picture
    alt = (
        f"Face with the map for {ATTRIBUTE_TITLES[occlusion.attribute].lower()}" if show_map else "Face without the map"
    )
    st.image(images.to_rgb(shown), width=_PICTURE_PX, alt=alt, output_format="PNG")
    st.markdown(describe(occlusion))
    st.caption(HOW_TO_READ)


def describe(occlusion: OcclusionMap) -> str:
    """What covering the spot that matters most does, in plain words."""
    if occlusion.importance.max() < _LEAST_CHANGE[occlusion.attribute]:
        return NOTHING_STANDS_OUT
    before, after = occlusion.answer, float(occlusion.covered[occlusion.strongest])
    if occlusion.label is None:
        return f"With the brightest spot covered, the age becomes **{after:.0f}** instead of {before:.0f}."
    probabilities = f"**{after:.0%}** instead of {before:.0%}"
    return f"With the brightest spot covered, the network gives *{occlusion.label}* {probabilities}."


def was_lowered(face: Face, occlusion: OcclusionMap) -> bool:
    """Whether ``face`` was given less of the explained label than the network gave; an age is never lowered."""
    estimate = {"emotion": face.emotion, "gender": face.gender}.get(occlusion.attribute)
    if estimate is None:
        return False
    given = dict(zip(map(str, estimate.LABELS), estimate.probabilities, strict=True))[str(occlusion.label)]
    return occlusion.answer - given >= _LEAST_LOWERING


def _explained(
    file: PictureFile, fingerprint: str, face: Detection, attribute: str, get_networks: GetNetworks
) -> tuple[Picture, OcclusionMap]:
    """The remembered map, or a new one. Raises ``FacetError``."""
    networks = get_networks()
    views = _views(file, fingerprint, face, networks)
    crop, picture = views.crops[attribute]
    if attribute not in views.maps:
        views.maps[attribute] = explain(crop, networks[attribute], attribute)
    return picture, views.maps[attribute]


def _views(file: PictureFile, fingerprint: str, face: Detection, networks: Networks) -> _FaceViews:
    """Remembered as well: decoding a large photograph takes longer than the map does."""

    def made() -> _FaceViews:
        frame = images.decode(file.getvalue(), name=file.name)
        return _FaceViews({attribute: _crops(frame, face, one) for attribute, one in networks.items()})

    answering = tuple(network.card.name for network in networks.values())
    return remembered(EXPLANATIONS, (fingerprint, face, answering), made, MAX_EXPLAINED)


def _crops(frame: Picture, face: Detection, estimator: Estimator) -> tuple[Picture, Picture]:
    card = estimator.card
    crop = align_faces(frame, [face], card.crop, card.input_size, card.channels).crops[0]
    return crop, align_faces(frame, [face], card.crop, _PICTURE_PX, channels=3).crops[0]
