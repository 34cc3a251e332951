"""What every page does first: drop what belonged to the last visit of another page."""

from __future__ import annotations

from pages.shared.image.cache import forget_all_but
from pages.shared.live.connection import forget_connection

LIVE, IMAGE, OTHER = "live", "image", "other"


def begin(page: str) -> None:
    """``page`` is one of the three above."""
    if page != IMAGE:
        forget_all_but(())
    if page != LIVE:
        forget_connection()
