"""Results of a video as text: one CSV row per face and sample, one per person, and JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, TextIO

from core.io.export import face_object, to_csv
from core.labels import format_top2, label_or_uncertain
from core.video.analysis import Sample, SampleSink
from core.video.audience import AUDIENCE_COLUMNS, MIX_COLUMNS, PeopleLog, Person, audience_rows, mix_cells
from core.video.history import CSV_COLUMNS, HistoryRow, csv_row
from core.video.reader import VideoInfo

SAMPLE_COLUMNS = (*CSV_COLUMNS, "x1", "y1", "x2", "y2", "score")
"""Columns of a live session's CSV, the box in pixels of the video, and the score of the detection."""

PERSON_COLUMNS = (
    *("track_id", "first_s", "last_s", "seconds", "mean_age", "perceived_gender", "perceived_gender_guesses"),
    *(column for column in MIX_COLUMNS if column not in ("people", "mean_seconds")),
)


class ResultFiles:
    """``with ResultFiles(...) as files``: results to those streams that are given, complete after the block, also after
    an error or an interruption. ``log`` counts the people, with or without streams.

    ``samples``, ``people`` and ``audience`` (time bins of ``bin_s``) become CSV (RFC 4180), ``json`` one object;
    ``networks``: attribute -> name.
    """

    def __init__(
        self,
        info: VideoInfo,
        networks: Mapping[str, str],
        *,
        samples: TextIO | None = None,
        people: TextIO | None = None,
        audience: TextIO | None = None,
        json: TextIO | None = None,
        bin_s: float = 60.0,
    ) -> None:
        self.log = PeopleLog()
        self._people, self._audience, self._bin_s = people, audience, bin_s
        self._json = None if json is None else SampleJson(json, info, networks)
        self.sinks: list[SampleSink] = [self.log]
        if samples is not None:
            self.sinks.append(SampleCsv(samples, info))
        if self._json is not None:
            self.sinks.append(self._json)

    def __enter__(self) -> ResultFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        people = self.log.people()
        if self._people is not None:
            self._people.write(to_csv(person_rows(people), PERSON_COLUMNS))
        if self._audience is not None:
            self._audience.write(to_csv(audience_rows(self.log.audience(self._bin_s)), AUDIENCE_COLUMNS))
        if self._json is not None:
            self._json.finish(people)


class SampleCsv:
    """Writes the faces of each sample as CSV rows with ``SAMPLE_COLUMNS``."""

    def __init__(self, stream: TextIO, info: VideoInfo) -> None:
        self._writer = csv.DictWriter(stream, SAMPLE_COLUMNS)
        self._writer.writeheader()
        self._info = info

    def add(self, sample: Sample) -> None:
        for face in sample.analysis.resized(self._info.resolution_wh).faces:
            box = zip(("x1", "y1", "x2", "y2"), (f"{side:.1f}" for side in face.box.xyxy), strict=True)
            cells = {**csv_row(HistoryRow(sample.time_s, face)), **dict(box), "score": f"{face.detection.score:.4f}"}
            self._writer.writerow(cells)


class SampleJson:
    """Writes one JSON object, a sample per line. ``networks``: attribute -> name."""

    def __init__(self, stream: TextIO, info: VideoInfo, networks: Mapping[str, str]) -> None:
        self._stream, self._info = stream, info
        video = {key: value for key, value in asdict(info).items() if key != "name"}
        head = json.dumps({"file": info.name, "video": video, "networks": dict(networks)})
        self._stream.write(f'{head[:-1]}, "samples": [')
        self._comma = ""

    def add(self, sample: Sample) -> None:
        analysis = sample.analysis.resized(self._info.resolution_wh)
        faces = [{"track_id": face.track_id, **face_object(face)} for face in analysis.faces]
        self._stream.write(f"{self._comma}\n{json.dumps({'time_s': round(sample.time_s, 3), 'faces': faces})}")
        self._comma = ","

    def finish(self, people: Sequence[Person]) -> None:
        """Write the end of the object: one entry per person."""
        rows = ",\n".join(json.dumps(row) for row in person_rows(people))
        self._stream.write(f'\n], "people": [\n{rows}\n]}}\n')


def person_rows(people: Sequence[Person]) -> list[dict[str, Any]]:
    """Return one row per person with the keys of ``PERSON_COLUMNS``; times in seconds of the video."""
    return [
        {
            "track_id": person.track_id,
            "first_s": round(person.first_s, 2),
            "last_s": round(person.last_s, 2),
            "seconds": round(person.mix.seconds, 2),
            "mean_age": None if person.age_years is None else round(person.age_years, 1),
            "perceived_gender": person.gender and label_or_uncertain(person.gender),
            "perceived_gender_guesses": person.gender and format_top2(person.gender),
            **{key: value for key, value in mix_cells(person.mix).items() if key in PERSON_COLUMNS},
        }
        for person in people
    ]
