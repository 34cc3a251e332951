from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from core.errors import UnreadableImageError
from core.io.export import COLUMNS, error_object, remove_guard, rows, to_csv, to_json_object
from core.types import (
    EMOTIONS,
    AgeEstimate,
    Analysis,
    Box,
    Detection,
    EmotionEstimate,
    Face,
    GenderEstimate,
)

FULL = Face(
    Detection(Box(-3.5, 2, 40.125, 60), 0.98765),
    emotion=EmotionEstimate((0.05, 0.05, 0.1, 0.5, 0.1, 0.1, 0.1)),
    age=AgeEstimate(31.256, 25, 38),
    gender=GenderEstimate((0.25, 0.75)),
)
BARE = Face(Detection(Box(50, 2, 60, 12), 0.5))
ANALYSIS = Analysis(100, 80, (FULL, BARE), elapsed_ms=12.345, rotation=90, views=8)


def test_json_object() -> None:
    answer = json.loads(json.dumps(to_json_object("a.jpg", ANALYSIS)))
    assert list(answer) == ["file", "width", "height", "rotation", "views", "faces", "elapsed_ms"]
    whole = {"file": "a.jpg", "width": 100, "height": 80, "rotation": 90, "views": 8, "faces": []} | {
        "elapsed_ms": 12.35
    }
    assert answer | {"faces": []} == whole
    face, bare = answer["faces"]
    assert list(face) == ["box", "score", "emotion", "age", "gender"]
    assert face["box"] == pytest.approx([-3.5, 2, 40.125, 60], abs=0.01)
    assert face["score"] == pytest.approx(0.98765, abs=1e-4)
    assert face["emotion"]["label"] == "happy"
    assert list(face["emotion"]["probabilities"]) == list(EMOTIONS)
    assert face["emotion"]["probabilities"]["happy"] == 0.5
    assert list(face["emotion"]) == ["label", "probabilities", "uncertain", "guesses"]
    assert (face["emotion"]["uncertain"], face["emotion"]["guesses"]) == (False, ["happy", "fear"])
    assert face["age"] == {"years": 31.26, "low": 25, "high": 38}
    assert face["gender"] == {
        "label": "female",
        "probabilities": {"male": 0.25, "female": 0.75},
        "uncertain": False,
        "guesses": ["female", "male"],
    }
    assert (bare["emotion"], bare["age"], bare["gender"]) == (None, None, None)


def test_json_object_without_faces() -> None:
    empty = Analysis(10, 10)
    assert to_json_object("a.jpg", empty)["faces"] == []
    assert rows("a.jpg", empty) == []
    assert to_csv(rows("a.jpg", empty)) == ",".join(COLUMNS) + "\r\n"


def test_error_object() -> None:
    assert error_object("a.txt", UnreadableImageError("no image")) == {"file": "a.txt", "error": "no image"}


def test_rows() -> None:
    full, bare = rows("a.jpg", ANALYSIS)
    assert tuple(full) == tuple(bare) == COLUMNS
    assert (full["file"], full["rotation"], full["face"], bare["face"]) == ("a.jpg", 90, 1, 2)
    assert (full["emotion"], full["p_happy"], full["age_years"]) == ("happy", 0.5, 31.26)
    assert (full["perceived_gender"], full["p_female"]) == ("female", 0.75)
    guesses = [full["emotion_guesses"], full["perceived_gender_guesses"]]
    assert guesses == ["happy 50%, fear 10%", "female 75%, male 25%"]
    assert bare["emotion_guesses"] is bare["perceived_gender_guesses"] is None
    assert bare["emotion"] is bare["p_happy"] is bare["age_low"] is bare["p_male"] is None


UNSURE = replace(
    FULL,
    emotion=EmotionEstimate((0.0, 0.0, 0.11, 0.1, 0.41, 0.0, 0.38), 0.5),
    gender=GenderEstimate((0.55, 0.45), 0.6),
)


def test_json_object_of_uncertain_predictions() -> None:
    (face,) = json.loads(json.dumps(to_json_object("a.jpg", Analysis(100, 80, (UNSURE,)))))["faces"]
    emotion, gender = face["emotion"], face["gender"]
    assert (emotion["label"], emotion["uncertain"], emotion["guesses"]) == ("sad", True, ["sad", "neutral"])
    assert (gender["label"], gender["uncertain"], gender["guesses"]) == ("male", True, ["male", "female"])
    assert emotion["probabilities"]["sad"] == 0.41


def test_rows_of_uncertain_predictions() -> None:
    (row,) = csv.DictReader(io.StringIO(to_csv(rows("a.jpg", Analysis(100, 80, (UNSURE,)))), newline=""))
    assert (row["emotion"], row["emotion_guesses"], row["p_sad"]) == ("uncertain", "sad 41%, neutral 38%", "0.41")
    assert (row["perceived_gender"], row["perceived_gender_guesses"]) == ("uncertain", "male 55%, female 45%")


def test_csv_round_trip() -> None:
    name = 'a "b", c\nd.jpg'
    full, bare = csv.DictReader(io.StringIO(to_csv(rows(name, ANALYSIS)), newline=""))
    assert full["file"] == name
    assert float(full["x1"]) == -3.5
    assert full["perceived_gender"] == "female"
    assert bare["emotion"] == bare["age_years"] == ""


@pytest.mark.parametrize("name", ["=1+1.jpg", "+1.jpg", "-1.jpg", "@SUM(A1).jpg", "\t=1.jpg", "\r=1.jpg"])
def test_csv_guards_against_formulas(name: str) -> None:
    (first, _) = csv.DictReader(io.StringIO(to_csv(rows(name, ANALYSIS)), newline=""))
    assert first["file"] == "'" + name


@pytest.mark.parametrize("name", ["=1+1.jpg", "'=1.jpg", "''@a.jpg", "'plain'.jpg", "plain.jpg", "'", ""])
def test_remove_guard(name: str) -> None:
    (row,) = csv.DictReader(io.StringIO(to_csv([{"file": name, "face": 1}], ("file", "face")), newline=""))
    assert remove_guard(row["file"]) == name


def test_csv_with_other_columns() -> None:
    assert to_csv([{"a": 1, "b": None, "c": 3}], ("a", "b")) == "a,b\r\n1,\r\n"
