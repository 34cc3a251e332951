from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from core.artifacts.listed_reports import load_listed, measured_from, save_json, text_from
from core.artifacts.model_card import ModelCard
from core.artifacts.storage import sha256_of
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.intervals import MetricValue
from tests.fakes.core import EMOTION_CARD


def _card(file: Path) -> ModelCard:
    return replace(EMOTION_CARD, files={file.name: {"bytes": file.stat().st_size, "sha256": sha256_of(file)}})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save_json(tmp_path / "figures.json", {"value": 3})


def _load(file: Path, card: ModelCard) -> int:
    return load_listed(file, card, lambda raw: int(raw["value"]), "Do this.")


def test_what_was_saved_is_parsed(file: Path) -> None:
    assert _load(file, _card(file)) == 3
    assert [one.name for one in file.parent.iterdir()] == ["figures.json"]


def test_nan_is_not_saved_and_leaves_what_was_there(file: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save_json(file, {"value": math.nan})
    assert json.loads(file.read_text()) == {"value": 3}


def test_a_missing_file(file: Path) -> None:
    card = _card(file)
    file.unlink()
    with pytest.raises(ArtifactMissingError, match=r"figures\.json is missing\. Do this\."):
        _load(file, card)


def test_a_file_that_is_not_on_the_card(file: Path) -> None:
    with pytest.raises(ArtifactCorruptError, match=r"figures\.json is not listed on the card\. Do this\."):
        _load(file, EMOTION_CARD)


def test_an_altered_file(file: Path) -> None:
    card = _card(file)
    file.write_text('{"value": 4}')
    with pytest.raises(ArtifactCorruptError, match=r"does not match the SHA-256 on its card\. Do this\."):
        _load(file, card)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"value": "many"}', "null"])
def test_a_file_that_cannot_be_parsed(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ArtifactCorruptError, match=r"is no report \(\w+: .*\)\. Do this\."):
        _load(file, _card(file))


def test_null_is_nan() -> None:
    assert measured_from({"value": 1, "low": 0.5, "high": 2, "n": 7}) == MetricValue(1.0, 0.5, 2.0, 7)
    measured = measured_from({"value": None, "low": None, "high": None, "n": 0})
    assert math.isnan(measured.value)
    assert math.isnan(measured.low)
    assert measured.n == 0


@pytest.mark.parametrize("value", [None, 3, ["a"]])
def test_only_text_is_text(value: object) -> None:
    assert text_from("a") == "a"
    with pytest.raises(ValueError, match="expected text"):
        text_from(value)
