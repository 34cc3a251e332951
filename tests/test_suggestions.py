from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.suggestions import (
    COLUMNS,
    Suggestion,
    from_rows,
    load_table,
    parse_table,
    rows_csv,
    suggest,
    suggest_for,
    to_rows,
)
from core.types import (
    EMOTIONS,
    MAX_AGE,
    AgeEstimate,
    Box,
    Detection,
    Emotion,
    EmotionEstimate,
    Face,
)

HEADER = ",".join(COLUMNS) + "\n"
CHILD_SAD = Suggestion(Emotion.SAD, 0, 12, "activity", "a hug")
ADULT_SAD = Suggestion(Emotion.SAD, 13, MAX_AGE, "music", "a song")
ANY_EMOTION = Suggestion(None, 13, 19, "film", "a film")
ALWAYS = Suggestion(None, 0, MAX_AGE, "tip", "water")
TABLE = (CHILD_SAD, ADULT_SAD, ANY_EMOTION, ALWAYS)


@pytest.mark.parametrize(
    ("emotion", "years", "expected"),
    [
        pytest.param(Emotion.SAD, 0.0, (CHILD_SAD, ALWAYS), id="youngest"),
        pytest.param(Emotion.SAD, 12.49, (CHILD_SAD, ALWAYS), id="shown-as-the-last-year-of-a-row"),
        pytest.param(Emotion.SAD, 12.5, (ADULT_SAD, ANY_EMOTION, ALWAYS), id="shown-as-the-first-of-the-next"),
        pytest.param(Emotion.SAD, float(MAX_AGE), (ADULT_SAD, ALWAYS), id="oldest"),
        pytest.param(Emotion.HAPPY, 15.0, (ANY_EMOTION, ALWAYS), id="emotion-without-a-row"),
        pytest.param(None, 15.0, (ANY_EMOTION, ALWAYS), id="emotion-not-read"),
        pytest.param(Emotion.SAD, None, (ALWAYS,), id="age-not-read"),
        pytest.param(None, None, (ALWAYS,), id="nothing-read"),
    ],
)
def test_suggest_by_emotion_and_age(
    emotion: Emotion | None, years: float | None, expected: tuple[Suggestion, ...]
) -> None:
    assert suggest(emotion, years, TABLE) == expected
    assert suggest(emotion, years, ()) == ()


def test_suggest_for_a_face() -> None:
    detection, probabilities = Detection(Box(0, 0, 10, 10), 0.9), (0.0, 0.1, 0.1, 0.1, 0.6, 0.0, 0.1)
    sad, unsure = EmotionEstimate(probabilities), EmotionEstimate(probabilities, min_confidence=0.7)
    assert suggest_for(Face(detection, emotion=sad, age=AgeEstimate(8, 5, 11)), TABLE) == (CHILD_SAD, ALWAYS)
    assert suggest_for(Face(detection, emotion=unsure, age=AgeEstimate(15, 5, 19)), TABLE) == (ANY_EMOTION, ALWAYS)
    assert suggest_for(Face(detection), TABLE) == (ALWAYS,)


def test_default_table_covers_every_emotion_at_every_age() -> None:
    table = load_table()
    for emotion in EMOTIONS:
        for years in range(MAX_AGE + 1):
            own = [row for row in suggest(emotion, years, table) if row.emotion is not None]
            assert len(own) == 3, (emotion, years)
    assert len(set(table)) == len(table)


def test_parse_reads_any_quotes_spaces_and_capitals() -> None:
    text = HEADER + 'SAD, any ,12, activity ,"a hug, a long one"\nAny,any,ANY,tip,water\n'
    assert parse_table(text) == (Suggestion(Emotion.SAD, 0, 12, "activity", "a hug, a long one"), ALWAYS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", r"line 1: the columns must be emotion,min_age,.*got none", id="empty"),
        pytest.param("emotion,age\nsad,3\n", r"line 1: .*got emotion,age", id="other-columns"),
        pytest.param(HEADER + "bored,any,any,tip,read\n", r"line 2: emotion must be angry, .* or any", id="emotion"),
        pytest.param(HEADER + "sad,x,any,tip,read\n", r"line 2: min_age must be a whole number .*'x'", id="age"),
        pytest.param(HEADER + "sad,-1,any,tip,read\n", r"line 2: min_age must be a whole number", id="negative-age"),
        pytest.param(HEADER + f"sad,{'9' * 5000},any,tip,read\n", r"line 2: min_age must be a whole", id="endless-age"),
        pytest.param(HEADER + "sad,5.5,any,tip,read\n", r"line 2: min_age must be a whole number", id="half-a-year"),
        pytest.param(HEADER + "sad,30,20,tip,read\n", r"line 2: ages must satisfy .*30 and 20", id="reversed-ages"),
        pytest.param(HEADER + "sad,any,any,tip\n", r"line 2: suggestion must not be empty", id="too-few-values"),
        pytest.param(HEADER + "sad,any,any,tip,a,b\n", r"line 2: more than 5 values", id="too-many-values"),
        pytest.param(HEADER + "any,any,any,tip,ok\nsad,,any,,read\n", r"line 3: min_age and kind", id="later-line"),
    ],
)
def test_malformed_table_is_rejected_with_the_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_table(text)


def test_load_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    with pytest.raises(ConfigError, match=r"mine\.csv cannot be read"):
        load_table(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"mine\.csv is not UTF-8 text"):
        load_table(file)
    file.write_text(HEADER + "nobody,any,any,tip,read\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.csv, line 2: emotion"):
        load_table(file)
    file.write_text(HEADER + "any,any,any,tip,water\n", encoding="utf-8-sig")
    assert load_table(file) == (ALWAYS,)


@pytest.mark.parametrize("table", [TABLE, load_table()], ids=["example", "default"])
def test_rows_round_trip(table: tuple[Suggestion, ...]) -> None:
    assert from_rows(to_rows(table)) == parse_table(rows_csv(to_rows(table))) == table


BLANK: dict[str, object] = {
    "emotion": None,
    "min_age": float("nan"),
    "max_age": "",
    "kind": None,
    "suggestion": "",
}


@pytest.mark.parametrize(
    "text",
    ["-5 minutes of rest", "+ a song", "=SUM(A1)", "@home", "'quoted'", "'=quoted", "a, b", 'say "hi"', "two\nlines"],
)
def test_edited_rows_round_trip_through_a_file(tmp_path: Path, text: str) -> None:
    row = {"emotion": "sad", "min_age": 13, "max_age": "any", "kind": text, "suggestion": text}
    file = tmp_path / "downloaded.csv"
    file.write_text(rows_csv([BLANK, row, BLANK]), encoding="utf-8")
    assert load_table(file) == (Suggestion(Emotion.SAD, 13, MAX_AGE, text, text),) == from_rows([row])


def test_blank_lines_are_skipped_but_counted() -> None:
    assert parse_table(HEADER + ",,,,\n\nany,any,any,tip,water\n , ,,,\n") == (ALWAYS,)
    with pytest.raises(ConfigError, match="line 3: emotion must be"):
        parse_table(HEADER + ",,,,\nbored,any,any,tip,read\n")


def test_from_rows_skips_blank_rows_and_counts_from_one() -> None:
    assert from_rows([BLANK, *to_rows(TABLE)]) == TABLE
    with pytest.raises(ConfigError, match=r"row 2: emotion and min_age and max_age must not be empty"):
        from_rows([*to_rows(TABLE[:1]), {"kind": "tip", "suggestion": "read"}])
