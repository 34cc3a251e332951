"""What all measurements of time share."""

from __future__ import annotations

import threading

TIMING_LOCK = threading.Lock()
"""Held while something is timed: two at once would slow each other, and OpenCV's number of threads, which some of them
set, is one for the whole process."""
