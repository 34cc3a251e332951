"""The part of the tab about groups that shows what more weight for rare ages in training gained and cost."""

from __future__ import annotations

import streamlit as st

from core.errors import ArtifactError, ArtifactMissingError
from core.evaluation.reweighting import Change, SideChange, load_reweighting
from core.evaluation.reweighting_figures import error_before_after
from core.evaluation.reweighting_tables import change_table
from core.evaluation.stored import StoredEvaluation
from pages.shared.errors import show_error
from pages.shared.evaluation.components import download_table, show_figure, show_table
from pages.shared.markdown import plain

_HOW_TO_READ = (
    "Shorter is better; the thin line is the 95 % interval. Both models answered about the same people, so a small "
    "change can be real although the lines overlap: the table has the interval of the change itself."
)
_SHOWN = (
    "true_age", "people", "age_error_years_before", "age_error_years_after", "age_error_years_change",
    "age_error_years_change_low", "age_error_years_change_high", "gender_accuracy_before", "gender_accuracy_after",
)  # fmt: skip


def show_reweighting(detail: StoredEvaluation) -> None:
    """The stored comparison on the side of ``detail``; nothing if there is none."""
    try:
        report = load_reweighting(detail.folder, detail.card)
    except ArtifactMissingError:
        return
    except ArtifactError as error:
        show_error(error)
        return
    side = report.sides.get(detail.side)
    if side is None:
        return
    st.subheader("Before and after more weight for rare ages")
    st.markdown(
        f"{plain(report.what_changed)} A model learns least about the people who are rare in its images. Showing them "
        "more often while it learns helps them, and leaves less for everybody else. What else changed between the two "
        "has its part in these figures."
    )
    st.markdown(_summary(side))
    show_figure(error_before_after(side, "Mean age error before and after"), "reweighting_age", _HOW_TO_READ)
    table, stem = change_table(side), f"{detail.name}_{detail.side}_reweighting"
    show_table(table[list(_SHOWN)], f"{stem}.csv", "table_reweighting")
    download_table(table, f"{stem}_all.csv", "table_reweighting_all")


def _summary(side: SideChange) -> str:
    better, worse = (
        [one for one in side.brackets if not one.age_mae.may_be_chance and (one.age_mae.change.value < 0) == gained]
        for gained in (True, False)
    )
    lines = [f"- Everybody: {_years(side.everybody.age_mae)}; {_points(side.everybody.gender_accuracy)}."]
    lines += [f"- Better at age {one.label}: {_years(one.age_mae)}." for one in better]
    lines += [f"- Worse at age {one.label}: {_years(one.age_mae)}." for one in worse]
    if not better and not worse:
        lines.append("- In no age bracket has the age error changed by more than chance can explain.")
    return "\n".join(lines)


def _years(change: Change) -> str:
    return f"age error {change.before.value:.2f} → {change.after.value:.2f} years{_chance(change)}"


def _points(change: Change) -> str:
    before, after = 100 * change.before.value, 100 * change.after.value
    return f"perceived gender {before:.1f} → {after:.1f} % right{_chance(change)}"


def _chance(change: Change) -> str:
    return " (may be chance)" if change.may_be_chance else ""
