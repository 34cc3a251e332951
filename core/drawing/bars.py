"""Bars of shares as HTML: a chart of a few lines, without the megabytes of a chart library in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from core.drawing.palette import EMOTION_HEX
from core.types import ClassEstimate

DEFAULT_HEX = "#4477AA"
_LIST = "list-style:none;margin:0;padding:0;font-size:0.875rem;line-height:1.6"
_ROW = "display:grid;grid-template-columns:minmax(5rem,max-content) 1fr 3rem;gap:0.6rem;align-items:center;margin:0"
_TRACK = "height:0.8rem;border-radius:0.3rem;background:rgba(128,128,128,0.18);overflow:hidden"
_BAR = "display:block;height:100%;box-shadow:inset 0 0 0 1px rgba(0,0,0,0.35);border-radius:0.3rem"


def bars_html(
    values: Mapping[str, float],
    colors: Mapping[str, str] | None = None,
    full: float = 1.0,
    text: Callable[[float], str] = "{:.0%}".format,
) -> str:
    """Return a list with one bar per label and its value as ``text``; a full bar stands for ``full``. ``colors``: label
    -> #RRGGBB."""
    rows = []
    for label, value in values.items():
        color = (colors or {}).get(label, DEFAULT_HEX)
        bar = f'<span style="{_BAR};width:{100 * value / full:.1f}%;background:{color}"></span>'
        rows.append(
            f'<li style="{_ROW}"><span>{escape(label)}</span><span style="{_TRACK}">{bar}</span>'
            f'<span style="text-align:right">{escape(text(value))}</span></li>'
        )
    return f'<ul style="{_LIST}">{"".join(rows)}</ul>'


def estimate_bars(estimate: ClassEstimate[Any]) -> str:
    """Return the bars of all classes of a prediction, emotions in their colours."""
    colors = {str(emotion): color for emotion, color in EMOTION_HEX.items()}
    return bars_html(dict(zip(map(str, estimate.LABELS), estimate.probabilities, strict=True)), colors)
