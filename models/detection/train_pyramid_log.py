"""What a run of ``models.detection.train_pyramid`` wrote down."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

LOG_FILE, RECIPE_FILE = "log.jsonl", "recipe.json"


def history_csv(run: Path) -> str:
    """The log as CSV, a row for every hundred steps."""
    rows = [json.loads(line) for line in (run / LOG_FILE).read_text(encoding="utf-8").splitlines()]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
