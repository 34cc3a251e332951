"""A report of all pictures as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from core.drawing.bars import estimate_bars
from core.errors import FacetError
from core.io.export import Outcome
from core.labels import describe_face, pluralize
from core.types import Face

_STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
img { max-width: 100%; border-radius: .5rem }
.faces { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1rem }
section section { border: 1px solid #999; border-radius: .5rem; padding: .5rem 1rem }
@media (prefers-color-scheme: dark) { body { background: #151515; color: #eee } }"""
_NOTICE = (
    "Estimates from how a face appears: an expression is not a feeling, and perceived gender is not identity. "
    "Not for decisions about people."
)


@dataclass(frozen=True)
class ReportImage:
    """``jpeg``: the annotated picture as file contents, empty if it is to stay out of the report."""

    name: str
    outcome: Outcome
    jpeg: bytes = b""


def html_report(images: Sequence[ReportImage], detector: str, networks: Mapping[str, str]) -> str:
    """Return the report; ``networks``: attribute -> name of the network that read it."""
    models = "; ".join(f"{attribute}: {name}" for attribute, name in {"detector": detector, **networks}.items())
    parts = "".join(map(_image, images))
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Facet: report</title><style>{_STYLE}</style></head><body><main><h1>Report</h1>"
        f"<p>{_NOTICE}</p><p>Models: {escape(models)}.</p>{parts}</main></body></html>\n"
    )


def _image(image: ReportImage) -> str:
    heading = f"<section><h2>{escape(image.name)}</h2>"
    if isinstance(image.outcome, FacetError):
        return f"{heading}<p>{escape(str(image.outcome))}</p></section>"
    analysis = image.outcome
    source = base64.b64encode(image.jpeg).decode()
    picture = f'<img alt="{escape(image.name)}" src="data:image/jpeg;base64,{source}">' if image.jpeg else ""
    facts = f"<p>{pluralize(len(analysis.faces), 'face')}, {analysis.width} x {analysis.height} pixels.</p>"
    faces = "".join(_face(face, number) for number, face in enumerate(analysis.faces, start=1))
    return f'{heading}{picture}{facts}<div class="faces">{faces}</div></section>'


def _face(face: Face, number: int) -> str:
    lines = "<br>".join(map(escape, describe_face(face)))
    bars = "" if face.emotion is None else estimate_bars(face.emotion)
    return f"<section><h3>Face {number}</h3><p>{lines}</p>{bars}</section>"
