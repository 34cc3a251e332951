"""What re-weighting changed, on the tab about groups, with made-up comparisons."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.artifacts.model_card import PREDICTIONS_FILE, list_artifacts, sha256_of
from core.evaluation.reweighting import REWEIGHTING_FILE, ReweightingReport, SideChange, compared
from core.evaluation.stored import load_stored
from tests.fakes.reweighting import example_before, example_report, write_compared


def _script(root: str) -> None:
    from pathlib import Path

    from core.artifacts.model_card import list_artifacts
    from core.evaluation.stored import load_stored
    from pages.shared.evaluation.reweighting import show_reweighting

    (artifact,) = list_artifacts(Path(root))
    show_reweighting(load_stored(artifact, "test"))


def _page(root: Path) -> AppTest:
    (artifact,) = list_artifacts(root)
    assert len(load_stored(artifact, "test").predictions) > 0
    page = AppTest.from_function(_script, args=(str(root),), default_timeout=60).run()
    assert not page.exception
    return page


def test_what_was_gained_and_what_it_cost(tmp_path: Path) -> None:
    write_compared(tmp_path)
    page = _page(tmp_path)
    assert not page.error
    assert "Before and after" in page.subheader[0].value
    explanation, summary = (text.value for text in page.markdown[:2])
    assert r"Old people got \*more\* weight." in explanation
    assert "- Better at age 70+: age error" in summary
    assert "- Worse at age 30-39: age error" in summary
    assert "% right (may be chance)" in summary.splitlines()[0]
    assert len(page.get("plotly_chart")) == 1
    table = page.dataframe[0].value
    assert len(table) == 10
    assert table.loc[0, "true_age"] == "everybody"
    labels = [one.proto.label for one in page.get("download_button")]
    assert labels == [f"Download age_gender_test_reweighting{end}.csv" for end in ("", "_all")]


def test_nothing_is_shown_without_a_comparison(tmp_path: Path) -> None:
    (write_compared(tmp_path) / REWEIGHTING_FILE).unlink()
    page = _page(tmp_path)
    assert not page.subheader
    assert not page.error
    assert not page.get("plotly_chart")


def _with_sides(root: Path, **sides: SideChange) -> Path:
    """An artifact with a comparison on these sides."""
    sha256 = sha256_of(write_compared(root / "first") / PREDICTIONS_FILE)
    report = ReweightingReport("age_gender", "Nothing.", "a" * 64, sha256, sides)
    return write_compared(root / "second", report).parent


def test_nothing_is_shown_on_a_side_that_was_not_compared(tmp_path: Path) -> None:
    page = _page(_with_sides(tmp_path, validation=example_report().sides["validation"]))
    assert not page.subheader
    assert not page.error


def test_a_comparison_that_is_out_of_date_is_said(tmp_path: Path) -> None:
    write_compared(tmp_path, example_report("c" * 64))
    page = _page(tmp_path)
    assert "other predictions than those installed now" in page.error[0].value
    assert "models.reweighting age_gender" in page.error[0].value
    assert not page.subheader


def test_no_change_is_said(tmp_path: Path) -> None:
    page = _page(_with_sides(tmp_path, test=compared(example_before(), example_before())))
    assert "In no age bracket has the age error changed" in page.markdown[1].value
