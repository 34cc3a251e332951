"""Bars as HTML."""

from __future__ import annotations

from core.drawing.bars import bars_html, estimate_bars
from tests.fakes.core import CHILD


def test_width_color_and_text_of_a_bar() -> None:
    html = bars_html({"<happy>": 0.25}, {"<happy>": "#F2B705"})
    assert "width:25.0%;background:#F2B705" in html
    assert "&lt;happy&gt;" in html
    assert ">25%</span>" in html


def test_other_scale_and_unit() -> None:
    html = bars_html({"0-2": 1.5, "3-9": 3.0}, full=3.0, text="{:.1f}".format)
    assert "width:50.0%" in html
    assert ">1.5</span>" in html


def test_all_classes_of_an_estimate() -> None:
    html = estimate_bars(CHILD.emotion)
    assert html.count("<li") == 7
    assert ">85%</span>" in html
