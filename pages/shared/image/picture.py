"""A picture whose boxes and cards mark each other on hover and focus, without a round trip to the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.drawing.annotator import face_hex
from core.geometry import clip
from core.io import images
from core.types import Analysis, Face
from pages.shared.image.analysis import Frame
from pages.shared.markdown import picture_html

_FRAME = """
.facet-picture { position: relative; width: fit-content; line-height: 0 }
.facet-picture a, .facet-picture span { position: absolute; border-radius: 0.2rem }
.facet-picture span { outline: 3px dashed white; box-shadow: 0 0 0 4px black }
@media (max-width: 640px) { :is([class*=st-key-cards_], :has(> [class*=st-key-cards_])) { height: auto } }
"""


@dataclass(frozen=True, slots=True)
class LinkedFace:
    """``key`` is that of the container of the face's card; one that ``differs`` has a dashed frame and no card."""

    face: Face
    number: int
    key: str
    differs: bool = False


def show_picture(drawn: Frame, analysis: Analysis, faces: Sequence[LinkedFace], alt: str) -> None:
    """Show ``drawn``, (H, W, 3) uint8 BGR, the annotated picture of ``analysis``, perhaps with a legend below it."""
    picture = picture_html(images.encode_jpeg(drawn), alt, "max-width: 100%; max-height: 80vh")
    picture_height = analysis.height * drawn.shape[1] / analysis.width
    links = "".join(_link(linked, analysis, drawn.shape[0] / picture_height) for linked in faces)
    styles = "".join(_style(linked) for linked in faces if not linked.differs)
    st.html(f'<style>{_FRAME}{styles}</style><div class="facet-picture">{picture}{links}</div>')


def _link(linked: LinkedFace, analysis: Analysis, height_ratio: float) -> str:
    # A face at the border is larger than what the picture shows of it.
    x1, y1, x2, y2 = clip([linked.face.box.xyxy], analysis.resolution_wh)[0]
    place = {
        "left": x1 / analysis.width,
        "top": y1 / analysis.height / height_ratio,
        "width": (x2 - x1) / analysis.width,
        "height": (y2 - y1) / analysis.height / height_ratio,
    }
    style = ";".join(f"{side}:{100 * share:.2f}%" for side, share in place.items())
    if linked.differs:
        return f'<span style="{style}"></span>'
    label = f"Face {linked.number}: go to its card"
    return f'<a class="box-{linked.key}" href="#{linked.key}" style="{style}" aria-label="{label}"></a>'


def _style(linked: LinkedFace) -> str:
    box, card, color = f".box-{linked.key}", f".st-key-{linked.key}", face_hex(linked.face)
    # Little of it outside, where the label begins.
    marked = f"box-shadow: 0 0 0 2px white, 0 0 0 4px black, inset 0 0 0 4px {color}; z-index: 1"
    hovered = f"outline: 3px solid {color}; outline-offset: -3px"
    return f"""
{card} {{ border-left: 0.5rem solid {color} }}
{box}:hover, {box}:focus-visible, .stApp:has({card}:hover) {box}, .stApp:has({card}:focus-within) {box} {{ {marked} }}
.stApp:has({box}:hover) {card}, .stApp:has({box}:focus-visible) {card} {{ {hovered} }}
"""
