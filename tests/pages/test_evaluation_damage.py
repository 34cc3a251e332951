"""The lines about damaged pictures on the tab with the model card."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from core.evaluation.robustness_headline import CARD_KEY, card_headline
from tests.fakes.robustness import example_report


def _script(raw: dict) -> None:
    from dataclasses import replace

    from pages.shared.evaluation.damage import show_damage
    from tests.fakes.core import AGE_GENDER_CARD

    show_damage(replace(AGE_GENDER_CARD, raw=raw))


def _page(raw: dict[str, Any]) -> AppTest:
    page = AppTest.from_function(_script, args=(raw,), default_timeout=60).run()
    assert not page.exception
    return page


def test_a_line_an_attribute() -> None:
    title, lines = (text.value for text in _page({CARD_KEY: card_headline(example_report("age_gender"))}).markdown)
    assert "damaged pictures" in title
    gender, age = lines.splitlines()
    assert gender.startswith("- Perceived gender: 80.0% right on pictures as they are, 62.0% on damaged ones")
    assert age.startswith("- Age: 5.00 years off")


def test_nothing_without_figures() -> None:
    page = _page({})
    assert not page.markdown
    assert not page.error


def test_figures_that_cannot_be_read_are_said() -> None:
    page = _page({CARD_KEY: {"age": "bad"}})
    assert "models.measuring.robustness age_gender --card-only" in page.error[0].value
    assert not page.markdown
