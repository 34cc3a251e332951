"""The panel about the audience, on the live page off until it is wanted."""

from __future__ import annotations

import numpy as np
import pytest

from core.video.audience import PeopleLog
from core.video.session import LiveSession
from pages.shared.audience import LEGAL
from tests.fakes.core import FakeAnalyzer
from tests.pages.apps import LIVE, metrics, open_function, rerun, texts
from tests.video.test_audience import MAN, WOMAN, face


def test_live_page_counts_the_audience_if_wanted(analyzer: FakeAnalyzer) -> None:
    app = LIVE.open()
    session: LiveSession = app.session_state["live_session"]
    assert not app.toggle(key="live_count_audience").value
    assert LEGAL not in texts(app)
    app.toggle(key="live_count_audience").set_value(True)
    rerun(app)
    for number in range(30):
        session.process(np.zeros((64, 64, 3), np.uint8), number / 10)
    shown = dict(metrics(rerun(app)))
    assert (shown["People"], shown["In view now"]) == ("1", "1")
    assert LEGAL in texts(app)
    app.toggle(key="live_count_audience").set_value(False)
    assert "People" not in dict(metrics(rerun(app)))
    assert session.audience(10.0).total.people == 0


def panel(log):
    from pages.shared.audience import show_audience

    show_audience(log.audience, "test")


@pytest.mark.parametrize(("women", "groups"), [(5, ["male", "female"]), (4, [])], ids=["large", "small"])
def test_only_large_groups_are_shown(women: int, groups: list[str]) -> None:
    log = PeopleLog()
    faces = [face(number, gender=WOMAN if number < women else MAN) for number in range(women + 6)]
    for time_s in (0.0, 0.5):
        log.count(time_s, 0.5, faces)
    app = open_function(panel, log)
    assert [name for table in app.dataframe for name in table.value["Group"]] == groups
    app.segmented_control(key="test_bin").set_value("1 hour")
    assert not rerun(app).error


def test_nobody_was_there() -> None:
    assert ("People", "0") in metrics(open_function(panel, PeopleLog()))
