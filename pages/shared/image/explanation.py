"""Explain a prediction: an occlusion map over the face, computed on demand."""

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
from core.drawing.heatmap import overlay_heatmap
from core.errors import FacetError
from core.io import images
from core.types import Detection, Face
from pages.shared.errors import show_error
from pages.shared.image.cache import EXPLANATIONS, cached
from pages.shared.image.files import ImageFile
from pages.shared.sidebar import ATTRIBUTE_TITLES

HOW_TO_READ = "Bright regions matter most for the prediction. This does not show whether the prediction is right."
RAW_OUTPUT = (
    "This is the raw model output for one view. The card above shows the mean of several views, with lower confidence "
    "for a face image of low quality."
)
NO_REGION_DOMINATES = "No single region dominates: covering any one barely changes the prediction."
MAX_EXPLAINED = 24
"""Faces whose explanations the session caches, about half a megabyte each."""

_PICTURE_PX = 256
_MIN_CHANGE = {"emotion": 0.05, "age": 1.0, "gender": 0.05}
"""Smallest change of the probability, or of the years, that is reported."""
_MIN_DIFFERENCE = 0.005
"""Smaller differences of a probability do not show in whole percent."""

Networks = Mapping[str, Estimator]
"""Attribute -> the network that predicts it."""
GetNetworks = Callable[[], Networks]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class _FaceViews:
    """One face as each network sees it: attribute -> (crop, the same square enlarged in BGR), and the maps so far."""

    crops: dict[str, tuple[Picture, Picture]]
    maps: dict[str, OcclusionMap] = field(default_factory=dict)


@st.fragment
def show_explanation(
    file: ImageFile, fingerprint: str, face: Face, key: str, get_networks: GetNetworks, blur: bool = False
) -> None:
    """Show an expander with the map of ``face``, unless no attribute was read from it.

    ``fingerprint`` identifies ``file``, ``key`` the face. The file is decoded and ``get_networks`` called only once the
    expander is open. ``blur`` pixelates the face below the map.
    """
    attributes = [name for name in ATTRIBUTE_TITLES if getattr(face, name) is not None]
    if not attributes:
        return
    with st.expander("Why this prediction?", key=f"explain_{key}", on_change="rerun") as expander:
        # While the expander is closed, nothing is computed.
        if not expander.open:
            return
        attribute = st.segmented_control(
            "Prediction to explain",
            attributes,
            default=attributes[0],
            required=True,
            format_func=ATTRIBUTE_TITLES.__getitem__,
            key=f"explain_attribute_{key}",
            label_visibility="collapsed",
        )
        show_map = st.toggle("Show the map", True, key=f"explain_map_{key}")
        try:
            with st.spinner("Covering the face region by region …"):
                picture, occlusion = _explain(
                    file, fingerprint, face.detection, attribute or attributes[0], get_networks
                )
        except FacetError as error:
            show_error(error)
            return
        _show(annotator.pixelate(picture) if blur else picture, occlusion, show_map)
        if differs(face, occlusion):
            st.caption(RAW_OUTPUT)


def _show(picture: Picture, occlusion: OcclusionMap, show_map: bool) -> None:
    shown = overlay_heatmap(picture, occlusion) if show_map else picture
    alt = (
        f"Face with the map for {ATTRIBUTE_TITLES[occlusion.attribute].lower()}" if show_map else "Face without the map"
    )
    st.image(images.to_rgb(shown), width=_PICTURE_PX, alt=alt, output_format="PNG")
    st.markdown(describe(occlusion))
    st.caption(HOW_TO_READ)


def describe(occlusion: OcclusionMap) -> str:
    """Describe the effect of covering the most important region."""
    if occlusion.importance.max() < _MIN_CHANGE[occlusion.attribute]:
        return NO_REGION_DOMINATES
    before, after = occlusion.prediction, float(occlusion.covered[occlusion.strongest])
    if occlusion.label is None:
        return f"With the brightest region covered, the predicted age is **{after:.0f}** instead of {before:.0f}."
    return f"With the brightest region covered, *{occlusion.label}* gets **{after:.0%}** instead of {before:.0%}."


def differs(face: Face, occlusion: OcclusionMap) -> bool:
    """Return whether the probability or age that ``face`` shows is another than the network's for the one crop."""
    if occlusion.attribute == "age":
        return face.age is not None and round(face.age.years) != round(occlusion.prediction)
    estimate = {"emotion": face.emotion, "gender": face.gender}[occlusion.attribute]
    if estimate is None:
        return False
    shown = dict(zip(map(str, estimate.LABELS), estimate.probabilities, strict=True))[str(occlusion.label)]
    return abs(occlusion.prediction - shown) >= _MIN_DIFFERENCE


def _explain(
    file: ImageFile, fingerprint: str, face: Detection, attribute: str, get_networks: GetNetworks
) -> tuple[Picture, OcclusionMap]:
    """Return the enlarged face and its cached or new map. Raises ``FacetError``."""
    networks = get_networks()
    views = _views(file, fingerprint, face, networks)
    crop, picture = views.crops[attribute]
    if attribute not in views.maps:
        views.maps[attribute] = explain(crop, networks[attribute], attribute)
    return picture, views.maps[attribute]


def _views(file: ImageFile, fingerprint: str, face: Detection, networks: Networks) -> _FaceViews:
    """Return the cached or new views of a face: decoding a large photograph takes longer than the map."""

    def make() -> _FaceViews:
        picture = images.decode(file.getvalue(), name=file.name)
        in_frame = face.scaled(*picture.frame_scale_xy)
        return _FaceViews({name: _crops(picture.frame, in_frame, network) for name, network in networks.items()})

    names = tuple(network.card.name for network in networks.values())
    return cached(EXPLANATIONS, (fingerprint, face, names), make, MAX_EXPLAINED)


def _crops(frame: Picture, face: Detection, estimator: Estimator) -> tuple[Picture, Picture]:
    card = estimator.card
    crop = align_faces(frame, [face], card.crop, card.input_size, card.channels).crops[0]
    return crop, align_faces(frame, [face], card.crop, _PICTURE_PX, channels=3).crops[0]
