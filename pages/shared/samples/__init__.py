"""Two portraits in the public domain: Eileen Collins (NASA) and Grace Hopper (U.S. Navy)."""

from __future__ import annotations

from pathlib import Path

ASTRONAUT = Path(__file__).with_name("astronaut.jpg")
GRACE_HOPPER = Path(__file__).with_name("grace_hopper.jpg")
