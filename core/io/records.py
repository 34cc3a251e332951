"""Results of many files on disk: one record per file, written at once, so that an interrupted run can go on.

The files are complete after every record. A record that was cut off, by a power failure for example, is dropped when
the run goes on, and its file is analyzed again.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from core.errors import ConfigError
from core.io import export
from core.io.export import Outcome


class Record(NamedTuple):
    """The file as ``printable_name``, whether it could not be analyzed, and the offset of the record's end in bytes."""

    file: str
    failed: bool
    end: int


def printable_name(file: str) -> str:
    """Return a file's name as UTF-8 can hold it: other bytes become escapes such as ``\\udcff``."""
    return file.encode(errors="backslashreplace").decode()


class RecordFile:
    """A file of records; subclasses know the format. ``records``: those that it had when it was opened."""

    HEAD = b""
    TAIL = b""

    def __init__(self, path: Path, resume: bool) -> None:
        """Create the file, or with ``resume`` open it if it exists. Raises ``ConfigError``."""
        self.path = path
        self.records: list[Record] = []
        try:
            exists = resume and path.exists()
            self._stream: BinaryIO = path.open("r+b" if exists else "xb")
            if exists and not self._is_empty():
                self.records = list(self._scan(self._stream))
        except FileExistsError as error:
            raise ConfigError(f"{path} exists. Add --resume to go on with it, or choose another file.") from error
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}. Choose another file.") from error
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            self._stream.close()
            raise ConfigError(f"{path} is not a file of this command's results. Choose another file.") from error
        self.keep(len(self.records))

    def keep(self, count: int) -> None:
        """Drop all but the first ``count`` records, and what follows them."""
        del self.records[count:]
        if self.records:
            self._end = self.records[-1].end
            self._write(self._end, b"")
        else:
            self._end = len(self.HEAD)
            self._write(0, self.HEAD)

    def add(self, file: str, outcome: Outcome) -> None:
        """Append the record of a file."""
        record = self._format(file, outcome)
        self._write(self._end, record)
        self._end += len(record)

    def close(self) -> None:
        self._stream.close()

    def _is_empty(self) -> bool:
        """Return whether the run was interrupted before the first record."""
        new = self.HEAD + self.TAIL
        start = self._stream.read(len(new) + 1)
        self._stream.seek(0)
        return new.startswith(start)

    def _write(self, start: int, content: bytes) -> None:
        self._stream.seek(start)
        self._stream.write(content + self.TAIL)
        self._stream.truncate()
        self._stream.flush()

    def _scan(self, stream: BinaryIO) -> Iterator[Record]:
        """Yield the complete records. Raises ``ValueError``, ``csv.Error`` and others for other files."""
        raise NotImplementedError

    def _format(self, file: str, outcome: Outcome) -> bytes:
        raise NotImplementedError


class CsvRecords(RecordFile):
    """``export.file_rows`` as CSV (RFC 4180, UTF-8)."""

    HEAD = export.to_csv([], export.FILE_COLUMNS).encode()

    def _format(self, file: str, outcome: Outcome) -> bytes:
        rows = export.file_rows(printable_name(file), outcome)
        return export.to_csv(rows, export.FILE_COLUMNS).encode(errors="backslashreplace")[len(self.HEAD) :]

    def _scan(self, stream: BinaryIO) -> Iterator[Record]:
        end = 0

        def lines() -> Iterator[str]:
            nonlocal end
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                yield line.decode()

        reader = csv.reader(lines(), strict=True)
        if next(reader, None) != list(export.FILE_COLUMNS):
            raise ValueError("other columns")
        rows = 0
        try:
            for cells in reader:
                row = dict(zip(export.FILE_COLUMNS, cells, strict=True))
                rows += 1
                if rows >= int(row["faces"] or 1):
                    yield Record(export.remove_guard(row["file"]), bool(row["error"]), end)
                    rows = 0
        except csv.Error:
            if stream.read(1):
                raise
            # The last record was cut off within quotes.


class JsonRecords(RecordFile):
    """``export.file_object`` as a JSON list with one object per line. ``networks``: attribute -> name."""

    HEAD = b"["
    TAIL = b"\n]\n"

    def __init__(self, path: Path, resume: bool, networks: Mapping[str, str]) -> None:
        super().__init__(path, resume)
        self._networks = networks

    def _format(self, file: str, outcome: Outcome) -> bytes:
        line = json.dumps(export.file_object(file, outcome, self._networks))
        return f"{'' if self._end == len(self.HEAD) else ','}\n{line}".encode()

    def _scan(self, stream: BinaryIO) -> Iterator[Record]:
        end = len(self.HEAD) + 1
        if stream.readline() != self.HEAD + b"\n":
            raise ValueError("not a list with one object per line")
        for line in stream:
            text = line.rstrip(b",\n")
            if not line.endswith(b"\n") or text == b"]":
                return
            result = json.loads(text)
            yield Record(printable_name(result["file"]), "error" in result, end + len(text))
            end += len(line)


def align_records(files: Sequence[RecordFile]) -> dict[str, bool]:
    """Return the ``printable_name`` of all files that have a record -> whether it could not be analyzed.

    If a run was interrupted between writing to two of ``files``, the record that only one has is dropped. Raises
    ``ConfigError`` if they are of different runs.
    """
    if not files:
        return {}
    count = min(len(file.records) for file in files)
    names = [[record.file for record in file.records[:count]] for file in files]
    if any(len(file.records) > count + 1 for file in files) or any(other != names[0] for other in names):
        paths = " and ".join(str(file.path) for file in files)
        raise ConfigError(f"{paths} are of different runs. Go on with one of them, or choose other files.")
    for file in files:
        file.keep(count)
    return {record.file: record.failed for record in files[0].records}
