"""History of a live session: one row per face and sample, and timeline, shares and CSV made from the rows."""

from __future__ import annotations

import csv
import io
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.labels import format_top2, label_or_uncertain
from core.types import EMOTIONS, EmotionEstimate, Face

CSV_COLUMNS = (
    "time_s",
    "track_id",
    "emotion",
    "emotion_guesses",
    *(str(emotion) for emotion in EMOTIONS),
    "valence",
    "age_years",
    "age_low",
    "age_high",
    "perceived_gender",
    "perceived_gender_guesses",
    "gender_probability",
)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One face at one time, in seconds since the session's first frame or last reset."""

    time_s: float
    face: Face


def timeline(
    history: Iterable[HistoryRow], track_id: int | None = None, since_s: float = 0.0
) -> list[dict[str, float]]:
    """Return rows of ``time_s``, one probability per emotion and ``valence`` from ``since_s`` on: for one face, or the
    mean of all faces without ``track_id``. Faces without emotion are left out."""
    samples: dict[float, list[EmotionEstimate]] = {}
    for time_s, estimate in _emotions(history, track_id, since_s):
        samples.setdefault(time_s, []).append(estimate)
    return [
        {
            "time_s": time_s,
            **{
                str(emotion): statistics.fmean(estimate.probability(emotion) for estimate in estimates)
                for emotion in EMOTIONS
            },
            "valence": statistics.fmean(estimate.valence for estimate in estimates),
        }
        for time_s, estimates in samples.items()
    ]


def emotion_shares(
    history: Iterable[HistoryRow], track_id: int | None = None, since_s: float = 0.0
) -> dict[str, float]:
    """Return label -> share of the predictions, which sum to 1, most frequent first. Uncertain predictions count as
    ``uncertain`` and for no emotion."""
    counts = Counter(label_or_uncertain(estimate) for _, estimate in _emotions(history, track_id, since_s))
    return {label: count / counts.total() for label, count in counts.most_common()}


def _emotions(
    history: Iterable[HistoryRow], track_id: int | None, since_s: float
) -> Iterator[tuple[float, EmotionEstimate]]:
    for row in history:
        wanted = track_id is None or row.face.track_id == track_id
        if wanted and row.time_s >= since_s and row.face.emotion is not None:
            yield row.time_s, row.face.emotion


def history_csv(history: Iterable[HistoryRow]) -> str:
    """Write the rows as CSV with a header, one line per face and sample; attributes that were not read are empty."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(csv_row(row) for row in history)
    return text.getvalue()


def csv_row(row: HistoryRow) -> dict[str, object]:
    """Return the cells of a row, with the keys of ``CSV_COLUMNS``; attributes that were not read are left out."""
    face = row.face
    cells: dict[str, object] = {"time_s": f"{row.time_s:.2f}", "track_id": face.track_id}
    if face.emotion is not None:
        cells |= {"emotion": label_or_uncertain(face.emotion), "emotion_guesses": format_top2(face.emotion)}
        cells |= {str(emotion): f"{face.emotion.probability(emotion):.4f}" for emotion in EMOTIONS}
        cells["valence"] = f"{face.emotion.valence:.4f}"
    if face.age is not None:
        age = face.age
        cells |= {"age_years": f"{age.years:.1f}", "age_low": f"{age.low:.1f}", "age_high": f"{age.high:.1f}"}
    if face.gender is not None:
        cells |= {
            "perceived_gender": label_or_uncertain(face.gender),
            "perceived_gender_guesses": format_top2(face.gender),
            "gender_probability": f"{face.gender.confidence:.4f}",
        }
    return cells
