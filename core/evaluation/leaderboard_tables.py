"""The leaderboard as tables for the screen, for figures and for CSV. Shares stay in [0, 1]; nothing is rounded."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from core.evaluation.intervals import MetricValue
from core.evaluation.leaderboard import UNMEASURED, Group, Leaderboard, Row
from core.evaluation.measures import Measure, published_results_for
from core.evaluation.tables import interval_columns

NOTHING_REPORTED = "none found"
Differences = Mapping[str, MetricValue]
"""Network -> its metric minus that of the best of its group, see ``core.evaluation.leaderboard``."""
_UNKNOWN: Differences = MappingProxyType({})


def leaderboard_table(group: Group, differences: Differences = _UNKNOWN) -> pd.DataFrame:
    """Tabulate one network per row, best first; ``value`` and ``difference`` on the test split, in the unit of the
    measure."""
    rows, networks = group.rows, [row.network for row in group.rows]
    return pd.DataFrame(
        {
            "model": [network.label for network in networks],
            "kind": [network.kind for network in networks],
            "own": [network.is_own for network in networks],
            **interval_columns("value", [row.test for row in rows]),
            **interval_columns("difference", [differences.get(network.name, UNMEASURED) for network in networks]),
            "validation": [row.validation.value for row in rows],
            "reported": [format_reported(row) for row in rows],
            "source": ["; ".join(dict.fromkeys(result.source for result in row.reported)) for row in rows],
            "note": [_note(row) for row in rows],
            "parameters": [network.card.parameters for network in networks],
            "size_mb": [network.size_mb for network in networks],
            "ms_per_face": [network.ms_per_face for network in networks],
            "timed_on": [network.speed.cpu if network.speed else "" for network in networks],
            "timed": [network.speed.measured if network.speed else "" for network in networks],
            "epochs": [network.epochs for network in networks],
            "recipe": [network.card.recipe or network.kind for network in networks],
            "installed": [network.is_installed for network in networks],
            "install": [" && ".join(network.install_commands) for network in networks],
            "title": [network.card.title for network in networks],
        }
    )


def whole_table(board: Leaderboard, differences: Mapping[str, Differences] = MappingProxyType({})) -> pd.DataFrame:
    """Concatenate the tables of all groups; ``metric``, ``test_split`` and ``unit`` say which rows are comparable.
    ``differences``: title of a group -> its differences."""
    parts = []
    for group in board.groups:
        part = leaderboard_table(group, differences.get(group.title, _UNKNOWN))
        part.insert(0, "metric", group.title)
        part.insert(1, "test_split", group.test_split.title)
        part.insert(2, "images", group.images)
        part.insert(3, "unit", "share" if group.measure.unit == "%" else "years")
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def published_table(measure: Measure) -> pd.DataFrame:
    """Tabulate published results as text, best first, one row per network."""
    results = published_results_for(measure)
    return pd.DataFrame(
        {
            measure.metric_title: [
                f"{result.value:.1%}" if measure.unit == "%" else f"{result.value:.2f}" for result in results
            ],
            "Parameters": [
                "" if result.parameters is None else f"{result.parameters / 1e6:.3g} M" for result in results
            ],
            "Protocol": [result.protocol for result in results],
            "Source": [result.source for result in results],
        },
        index=pd.Index([result.name for result in results], name="Model"),
    )


def format_difference(difference: MetricValue, measure: Measure) -> str:
    """Return for example ``-2.7 points (-3.4 to -1.9)``; empty if the difference is unknown."""
    if np.isnan(difference.low):
        return ""
    scale, unit, digits = (1, "years", 2) if measure.lower_is_better else (100, "points", 1)
    value, low, high = (f"{v * scale:+.{digits}f}" for v in (difference.value, difference.low, difference.high))
    return f"{value} {unit} ({low} to {high})"


def format_reported(row: Row) -> str:
    """Return the reported results word for word; empty for own networks, which nobody else reports on."""
    if row.network.is_own:
        return ""
    return "; ".join(result.text for result in row.reported) or NOTHING_REPORTED


def _note(row: Row) -> str:
    notes = ([row.note] if row.note else []) + [f"reported: {result.note}" for result in row.reported]
    return "; ".join(dict.fromkeys(notes))
