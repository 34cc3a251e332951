"""The leaderboard as tables for the screen and for CSV. Shares stay in [0, 1], ages in years; nothing is rounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from core.evaluation.intervals import MetricValue
from core.evaluation.leaderboard import UNMEASURED, Group, Leaderboard, Row
from core.evaluation.measures import Measure
from core.evaluation.published import published_for

NOTHING_CLAIMED = "no figure known"

Behind = Mapping[str, MetricValue]
"""Network -> its figure minus that of the best of its group, see ``core.evaluation.paired``."""
_UNKNOWN: Behind = MappingProxyType({})


def group_table(group: Group, behind: Behind = _UNKNOWN) -> pd.DataFrame:
    """One row a network, best first; ``measured`` on the reporting side and what ``behind`` the best it is, both in the
    unit of the group's measure."""
    rows, networks = group.rows, [row.network for row in group.rows]
    apart = [behind.get(one.name, UNMEASURED) for one in networks]
    return pd.DataFrame(
        {
            "network": [one.name for one in networks],
            "ours": [one.own for one in networks],
            "measured": _floats([row.reported.value for row in rows]),
            "measured_low": _floats([row.reported.low for row in rows]),
            "measured_high": _floats([row.reported.high for row in rows]),
            "behind": _floats([one.value for one in apart]),
            "behind_low": _floats([one.low for one in apart]),
            "behind_high": _floats([one.high for one in apart]),
            "choosing_set": _floats([row.validation.value for row in rows]),
            "claimed": [claimed(row) for row in rows],
            "claimed_by": ["; ".join(dict.fromkeys(one.source for one in row.claims)) for row in rows],
            "note": [note(row) for row in rows],
            "parameters": [one.parameters for one in networks],
            "size_mb": _floats([np.nan if one.size_bytes is None else one.size_bytes / 1e6 for one in networks]),
            "ms_per_face": _floats([one.ms_per_face for one in networks]),
            "timed_on": [one.speed.machine if one.speed else "" for one in networks],
            "timed": [one.speed.measured if one.speed else "" for one in networks],
            "epochs": [one.epochs for one in networks],
            "recipe": [one.recipe or "ours" for one in networks],
            "can_be_chosen": [one.can_be_chosen for one in networks],
            "restore": [" && ".join(one.restore) for one in networks],
            "title": [one.title for one in networks],
        }
    )


def whole_table(board: Leaderboard, behind: Mapping[str, Behind] = MappingProxyType({})) -> pd.DataFrame:
    """All groups under each other; ``what``, ``test_set`` and ``unit`` say which rows can be compared. ``behind``:
    title of a group -> how far each network is behind the best of it."""
    parts = []
    for group in board.groups:
        part = group_table(group, behind.get(group.title, _UNKNOWN))
        part.insert(0, "what", group.title)
        part.insert(1, "test_set", group.test_split.title)
        part.insert(2, "images", group.images)
        part.insert(3, "unit", "share" if group.measure.unit == "%" else "years")
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def published_table(measure: Measure) -> pd.DataFrame:
    """What others report about ``measure`` in words, best first, one row a network; for reading."""
    figures = published_for(measure)
    table = pd.DataFrame(
        {
            "reported": [f"{one.value:.1%}" if measure.unit == "%" else f"{one.value:.2f}" for one in figures],
            "parameters": ["" if one.parameters is None else f"{one.parameters / 1e6:.3g} M" for one in figures],
            "remarks": [one.how for one in figures],
            "source": [one.source for one in figures],
        },
        index=[one.name for one in figures],
    )
    return table.rename_axis("Network")


def format_difference(apart: MetricValue, measure: Measure) -> str:
    """For example ``-2.7 points (-3.4 to -1.9)``; nothing where it is not known."""
    if np.isnan(apart.low):
        return ""
    scale, unit, digits = (1, "years", 2) if measure.lower_is_better else (100, "points", 1)
    value, low, high = (f"{one * scale:+.{digits}f}" for one in (apart.value, apart.low, apart.high))
    return f"{value} {unit} ({low} to {high})"


def claimed(row: Row) -> str:
    """The claims as they were made; nothing for our own networks, which nobody else makes claims about."""
    if row.network.own:
        return ""
    return "; ".join(one.text for one in row.claims) or NOTHING_CLAIMED


def note(row: Row) -> str:
    """What keeps claimed and measured, or this figure and others, apart."""
    notes = ([row.remark] if row.remark else []) + [f"claim: {one.note}" for one in row.claims]
    return "; ".join(dict.fromkeys(notes))


def _floats(values: Sequence[float]) -> np.ndarray:
    """Of one type even where no network has a value."""
    return np.array(values, np.float64)
