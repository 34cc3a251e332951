"""What the tests of pages share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of artifacts, and no data set."""
    root = tmp_path / "artifacts"
    root.mkdir()
    monkeypatch.setenv("FACET_ARTIFACTS", str(root))
    monkeypatch.setenv("FACET_DATA", str(tmp_path / "data"))
    return root
