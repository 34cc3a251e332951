"""The comparison of two networks -> a table for the screen and for CSV. Shares stay in [0, 1]; nothing is rounded."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.evaluation.intervals import Measured
from core.evaluation.reweighting import SideChange


def change_table(side: SideChange) -> pd.DataFrame:
    """One row a group: figures before and after with their intervals, and the change of both with its own."""
    rows = []
    for one in side.groups:
        row: dict[str, Any] = {"true_age": one.label, "people": one.age_mae.n}
        for name, change in (("age_error_years", one.age_mae), ("gender_accuracy", one.gender_accuracy)):
            for when in ("before", "after", "change"):
                measured: Measured = getattr(change, when)
                row |= {
                    f"{name}_{when}": measured.value,
                    f"{name}_{when}_low": measured.low,
                    f"{name}_{when}_high": measured.high,
                }
        rows.append(row)
    return pd.DataFrame(rows)
