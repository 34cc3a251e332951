"""Artifacts that a command line names."""

from __future__ import annotations

from pathlib import Path

from core.artifacts.model_card import artifacts_dir, list_artifacts
from core.errors import ArtifactMissingError


def artifact_folder(name: str) -> Path:
    """Its folder; ``ArtifactMissingError``, naming those that there are, if there is none."""
    folder = artifacts_dir() / name
    if not folder.is_dir():
        installed = ", ".join(artifact.name for artifact in list_artifacts()) or "none"
        raise ArtifactMissingError(f"no artifact {name!r} in {folder.parent}: installed are {installed}")
    return folder
