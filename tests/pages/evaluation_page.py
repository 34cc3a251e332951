"""The evaluation page under test, opened at one test set and tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from pages.shared.evaluation.selection import BY_TEST_SET, LEADERBOARD, TAB_KEY, TEST_SET_KEY, VIEW_KEY

PAGE = Path(__file__).resolve().parents[2] / "pages" / "3_Model_Evaluation.py"


def open_page(test_set: str | None = None, tab: str | None = None, **state: Any) -> AppTest:
    """``state``: further values of the session, such as the title of the open tab of another list of tabs."""
    page = AppTest.from_file(str(PAGE), default_timeout=120)
    for key, value in {TEST_SET_KEY: test_set, TAB_KEY: tab, **state}.items():
        if value is not None:
            page.session_state[key] = value
    page.run()
    assert not page.exception
    return page


def open_leaderboard(tab: str | None = None) -> AppTest:
    return open_page(**{VIEW_KEY: LEADERBOARD, "evaluation_leaderboard_tab": tab})


def switch_tab(page: AppTest, tab: str, key: str = TAB_KEY) -> AppTest:
    page.session_state[key] = tab
    page.run()
    assert not page.exception
    return page


def tab_names(page: AppTest) -> list[str]:
    """Without those that choose between the leaderboard and the test sets."""
    return [tab.label for tab in page.tabs if tab.label not in (LEADERBOARD, BY_TEST_SET)]


def download_names(page: AppTest) -> list[str]:
    return [element.proto.label.removeprefix("Download ") for element in page.get("download_button")]
