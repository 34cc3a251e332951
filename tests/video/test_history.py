from __future__ import annotations

import csv
import io
from dataclasses import replace

from core.types import AgeEstimate, Box, Detection, EmotionEstimate, Face, GenderEstimate
from core.video.history import CSV_COLUMNS, HistoryRow, emotion_shares, history_csv, timeline

HAPPY = EmotionEstimate((0, 0, 0, 1, 0, 0, 0))
SAD = EmotionEstimate((0, 0, 0, 0, 1, 0, 0))
UNSURE = EmotionEstimate((0, 0, 0, 0.45, 0.55, 0, 0), 0.6)
SOMEBODY = Face(Detection(Box(20, 10, 60, 50), 0.9), HAPPY, AgeEstimate(31, 25, 38), GenderEstimate((0.25, 0.75)))


def row(time_s: float, track_id: int, emotion: EmotionEstimate | None = HAPPY) -> HistoryRow:
    return HistoryRow(time_s, replace(SOMEBODY, emotion=emotion, track_id=track_id))


def test_timeline_of_one_face_and_of_all() -> None:
    history = [row(0.0, 1), row(0.0, 2, SAD), row(1.0, 1), row(2.0, 2, None)]
    assert [r["valence"] for r in timeline(history, track_id=1)] == [1.0, 1.0]
    assert [(r["time_s"], r["happy"], r["valence"]) for r in timeline(history)] == [
        (0.0, 0.5, 0.0),
        (1.0, 1.0, 1.0),
    ]
    assert [r["time_s"] for r in timeline(history, since_s=0.5)] == [1.0]
    assert timeline([]) == []


def test_uncertain_predictions_count_for_no_emotion() -> None:
    history = [row(0.0, 1), row(1.0, 1, UNSURE), row(2.0, 1, UNSURE), row(3.0, 1, SAD), row(3.0, 2), row(4.0, 1, None)]
    assert emotion_shares(history, track_id=1) == {"uncertain": 0.5, "happy": 0.25, "sad": 0.25}
    assert next(iter(emotion_shares(history, track_id=1))) == "uncertain"
    assert emotion_shares(history) == {"happy": 0.4, "uncertain": 0.4, "sad": 0.2}
    assert emotion_shares(history, since_s=3.0) == {"sad": 0.5, "happy": 0.5}
    assert emotion_shares([]) == {}


def test_csv_of_uncertain_predictions() -> None:
    unsure = HistoryRow(0.0, replace(SOMEBODY, emotion=UNSURE, gender=GenderEstimate((0.45, 0.55), 0.6), track_id=1))
    (first,) = csv.DictReader(io.StringIO(history_csv([unsure])))
    assert (first["emotion"], first["emotion_guesses"], first["sad"]) == ("uncertain", "sad 55%, happy 45%", "0.5500")
    assert (first["perceived_gender"], first["perceived_gender_guesses"]) == ("uncertain", "female 55%, male 45%")


def test_csv_round_trip() -> None:
    bare = HistoryRow(0.25, replace(SOMEBODY, emotion=None, age=None, gender=None, track_id=2))
    rows = list(csv.DictReader(io.StringIO(history_csv([row(0.0, 1), bare]))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert history_csv([]) == ",".join(CSV_COLUMNS) + "\n"
    first, second = rows
    assert [first[name] for name in ("track_id", "emotion", "happy", "valence")] == ["1", "happy", "1.0000", "1.0000"]
    assert (first["age_years"], first["age_low"], first["age_high"]) == ("31.0", "25.0", "38.0")
    assert (first["perceived_gender"], first["gender_probability"]) == ("female", "0.7500")
    assert [second[name] for name in ("time_s", "track_id", "emotion", "age_years")] == ["0.25", "2", "", ""]
