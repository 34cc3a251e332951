"""The HTML report."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from core.errors import ImageError
from core.io.report import ReportImage, html_report
from core.types import Analysis
from tests.fakes.core import CHILD

FOUND = Analysis(60, 50, (CHILD, CHILD))
VOID = {"meta", "img", "br"}


class Balance(HTMLParser):
    """Reads a document whose elements are all closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(dict(attrs)["src"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(*images: ReportImage) -> tuple[str, Balance]:
    html = html_report(images, "facet", {"emotion": "emotion"})
    parser = Balance()
    parser.feed(html)
    assert not parser.open
    return html, parser


def test_answers_of_every_face() -> None:
    html, parser = read(ReportImage("a.png", FOUND))
    assert html.count("Happy 85%<br>Age 7 (5-10)<br>Perceived gender: female 70%") == 2
    assert html.count("<li") == 14
    assert "detector: facet; emotion: emotion" in html
    assert not parser.images


@pytest.mark.parametrize(("jpeg", "sources"), [(b"abc", ["data:image/jpeg;base64,YWJj"]), (b"", [])])
def test_pictures_only_where_wanted(jpeg: bytes, sources: list[str]) -> None:
    assert read(ReportImage("a.png", FOUND, jpeg))[1].images == sources


def test_names_and_errors_are_text() -> None:
    html, _ = read(ReportImage("<b>.png", ImageError("<script>")))
    assert "&lt;b&gt;.png" in html
    assert "&lt;script&gt;" in html
