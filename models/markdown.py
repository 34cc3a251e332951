"""Figures and tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from core.evaluation.intervals import MetricValue


def percent(measured: MetricValue) -> str:
    """A share with its interval."""
    return f"{measured.value:.1%} ({measured.low:.1%} to {measured.high:.1%})"


def years(measured: MetricValue) -> str:
    return f"{measured.value:.2f} years ({measured.low:.2f} to {measured.high:.2f})"


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
