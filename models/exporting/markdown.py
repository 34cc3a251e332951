"""Tables of reports as Markdown."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from core.evaluation.intervals import MetricValue
from core.evaluation.tables import display_name

_YEARS = ("age_mae", "age_bias", "interval_width", "age_change_years")
_RATIOS = ("f1", "ece", "ece_before", "brier", "fppi", "fppi_web", "duplicates_per_image", "ms_per_face")


def to_markdown(table: pd.DataFrame) -> str:
    """Render ``table`` with display names; ``<column>_low`` and ``<column>_high`` join their column in brackets."""
    bounds = {f"{column}{end}" for column in table for end in ("_low", "_high")}
    columns = [str(column) for column in table if column not in bounds]
    lines = [[display_name(column) for column in columns], ["---"] * len(columns)]
    lines += [[_cell(row, column) for column in columns] for row in table.to_dict("records")]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cell(row: Mapping[Hashable, object], column: str) -> str:
    text = _format(column, row[column])
    if f"{column}_low" not in row or text == "–":
        return text
    return f"{text} ({_format(column, row[f'{column}_low'])} to {_format(column, row[f'{column}_high'])})"


def _format(column: str, value: object) -> str:
    """Format by the column's unit: counts, years, ratios and milliseconds as they are, all else as percentages."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value) or "–"
    if isinstance(value, int):
        return f"{value:,}"
    if column == "age_bias":
        return f"{value:+.2f}"
    if column in ("f1", "ece", "ece_before", "brier", "gender_ece"):
        return f"{value:.3f}"
    return f"{value:.2f}" if column in _YEARS + _RATIOS or column.endswith("_ms") else f"{value:.1%}"


def format_percent(metric: MetricValue) -> str:
    """Format a share with its interval."""
    return f"{metric.value:.1%} ({metric.low:.1%} to {metric.high:.1%})"


def format_years(metric: MetricValue) -> str:
    """Format years with their interval."""
    return f"{metric.value:.2f} years ({metric.low:.2f} to {metric.high:.2f})"


def text_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Render rows of texts below a header."""
    return to_markdown(pd.DataFrame(rows, columns=list(header)))
