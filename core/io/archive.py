"""Read images from ZIP files in memory without trusting them, and write ZIP files. Nothing is written to disk."""

from __future__ import annotations

import hashlib
import io
import re
import stat
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.datasets.samples import Rejected
from core.errors import ImageTooLargeError, UnreadableImageError
from core.io.search import NO_EXTENSION, is_image_name
from core.settings import ArchiveLimits, ImageLimits

_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_DIRECTORY_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others need much memory, or are rarely used."""


@dataclass(frozen=True, eq=False)
class ArchivedFile:
    """A file inside a ZIP file. ``fingerprint``: differs between contents."""

    name: str
    fingerprint: str
    _archive: zipfile.ZipFile = field(repr=False)
    _entry: zipfile.ZipInfo = field(repr=False)

    def getvalue(self) -> bytes:
        """Unpack the contents. Raises ``UnreadableImageError``."""
        try:
            with self._archive.open(self._entry) as stream:
                # Asked for all, it would unpack whatever is there before it looks at the size that is told.
                return stream.read(self._entry.file_size + 1)
        except Exception as error:  # Malicious files make decoders raise almost anything.
            reason = str(error).strip(" .") or type(error).__name__
            raise UnreadableImageError(f"{self.name} cannot be unpacked: {reason}. Pack the files again.") from error


@dataclass(frozen=True)
class Archive:
    """The usable files of a ZIP file, by name, and those that were left out."""

    files: tuple[ArchivedFile, ...]
    left_out: tuple[Rejected, ...]


def is_archive(name: str, data: bytes) -> bool:
    """Return whether a file is meant as a ZIP file, by its contents or its name."""
    return data.startswith(_STARTS) or name.lower().endswith(".zip")


def read_archive(
    data: bytes,
    name: str = "The ZIP file",
    limits: ArchiveLimits = ArchiveLimits(),
    accept: Callable[[str], bool] = is_image_name,
) -> Archive:
    """List the files of a ZIP file whose names ``accept`` takes; nothing is unpacked yet. Hidden files and folders are
    passed over.

    Raises ``ImageTooLargeError`` if it exceeds ``limits`` and ``UnreadableImageError`` if it is damaged.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLargeError(f"{name} has {_mb(len(data))}; {_mb(limits.max_bytes)} are allowed. Split it.")
    # Counted before the directory is read, because each entry takes memory.
    if data.count(_DIRECTORY_ENTRY) > limits.max_entries:
        raise ImageTooLargeError(f"{name} has more than the {limits.max_entries:,} entries allowed. Split it.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = [(_normalize(entry.filename), entry) for entry in archive.infolist() if not entry.is_dir()]
    except Exception as error:  # Malicious files make the parser raise almost anything.
        reason = str(error).strip(" .") or type(error).__name__
        raise UnreadableImageError(f"{name} cannot be read as a ZIP file: {reason}. Pack the files again.") from error
    unpacked = sum(entry.file_size for _, entry in entries)
    if unpacked > limits.max_unpacked_bytes:
        raise ImageTooLargeError(
            f"{name} would have {_mb(unpacked)} unpacked; {_mb(limits.max_unpacked_bytes)} are allowed. Split it."
        )
    digest = hashlib.sha256(data).hexdigest()
    files: dict[str, ArchivedFile] = {}
    left_out: list[Rejected] = []
    for path, entry in sorted(entries, key=lambda pair: pair[0]):
        if _is_hidden(path):
            continue
        reason = _refuse(path, entry, accept)
        if not reason and path in files:
            reason = "second file of the same name"
        if not reason and len(files) == limits.max_images:
            reason = f"after the first {limits.max_images:,} images"
        if reason:
            left_out.append(Rejected(path, reason))
        else:
            files[path] = ArchivedFile(path, f"{digest}/{path}", archive, entry)
    return Archive(tuple(files.values()), tuple(left_out))


def write_archive(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Pack named contents, which are compressed already, and return the ZIP file's contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def _normalize(name: str) -> str:
    return name.replace("\\", "/")


def _is_hidden(path: str) -> bool:
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in path.split("/"))


def _refuse(path: str, entry: zipfile.ZipInfo, accept: Callable[[str], bool]) -> str:
    """Return why an entry is left out, or an empty text."""
    if path.startswith("/") or ".." in path.split("/") or re.search(r"^[A-Za-z]:|[\x00-\x1f]", path):
        return "unsafe path"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "link"
    if not accept(path):
        return NO_EXTENSION
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted"
    if entry.compress_type not in _METHODS:
        return "packed by another method than Deflate"
    if entry.file_size > ImageLimits().max_bytes:
        return f"larger than {_mb(ImageLimits().max_bytes)}"
    return ""


def _mb(count: int) -> str:
    return f"{count / 2**20:,.0f} MB"
