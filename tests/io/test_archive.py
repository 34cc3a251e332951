"""ZIP files from strangers: what is listed, what is left out, what is refused.

``FACET_MUTATED_ARCHIVES=200 .venv/bin/python -m pytest tests/io/test_archive.py`` damages more of them.
"""

from __future__ import annotations

import io
import os
import time
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import skimage.data
from PIL import Image

from core.errors import ImageError, ImageTooLargeError, UnreadableImageError
from core.io.archive import is_archive, read_archive, write_archive
from core.io.images import decode
from core.settings import ArchiveLimits
from tests.io.test_images import save
from tests.io.test_mutated_images import LONGEST_S, mutate

COUNT = int(os.environ.get("FACET_MUTATED_ARCHIVES", "60"))
PHOTO = save(Image.fromarray(skimage.data.astronaut()).resize((80, 64)), "JPEG")


def pack(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_images_are_listed_by_name_and_unpacked() -> None:
    archive = read_archive(pack({"b.jpg": PHOTO, "trip/a.PNG": b"2", "trip/": b"", "Zoë\u202f1.webp": b"3"}))
    assert [(file.name, file.getvalue()) for file in archive.files] == [
        ("Zoë\u202f1.webp", b"3"),
        ("b.jpg", PHOTO),
        ("trip/a.PNG", b"2"),
    ]
    assert archive.left_out == ()
    assert len({file.fingerprint for file in archive.files}) == 3


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../up.jpg", "unsafe path"),
        ("a/../../up.jpg", "unsafe path"),
        ("/etc/a.jpg", "unsafe path"),
        ("C:\\a.jpg", "unsafe path"),
        ("..\\up.jpg", "unsafe path"),
        ("a\nb.jpg", "unsafe path"),
        ("notes.txt", "without an image's extension"),
        ("inner.zip", "without an image's extension"),
    ],
)
def test_left_out_with_reason(name: str, reason: str) -> None:
    archive = read_archive(pack({name: PHOTO, "good.jpg": PHOTO}))
    assert [file.name for file in archive.files] == ["good.jpg"]
    assert [(rejected.where, rejected.reason) for rejected in archive.left_out] == [(name.replace("\\", "/"), reason)]


def test_links_are_left_out() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert [rejected.reason for rejected in read_archive(buffer.getvalue()).left_out] == ["link"]


def test_encrypted_and_unusual_entries_are_left_out() -> None:
    encrypted = bytearray(pack({"a.jpg": PHOTO}, zipfile.ZIP_STORED))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    reasons = [
        read_archive(data).left_out[0].reason for data in (bytes(encrypted), pack({"a.jpg": PHOTO}, zipfile.ZIP_LZMA))
    ]
    assert reasons == ["encrypted", "packed by another method than Deflate"]


def test_metadata_of_macos_is_passed_over() -> None:
    archive = read_archive(pack({"__MACOSX/._a.jpg": b"", ".DS_Store": b"", ".thumbs/a.jpg": PHOTO, "a.jpg": PHOTO}))
    assert ([file.name for file in archive.files], archive.left_out) == (["a.jpg"], ())


def test_second_file_of_the_same_name_is_left_out() -> None:
    # Of the same name once they are read: zipfile itself refuses to write two.
    archive = read_archive(pack({"a.jpg": PHOTO, "b.jpg": b"other"}).replace(b"b.jpg", b"a.jpg"))
    assert [file.getvalue() for file in archive.files] == [PHOTO]
    assert archive.left_out[0].reason == "second file of the same name"


def test_limits() -> None:
    data = pack({f"{number}.jpg": bytes(1000) for number in range(9)})
    limits = ArchiveLimits(max_bytes=len(data), max_entries=9, max_images=9, max_unpacked_bytes=9000)
    assert len(read_archive(data, limits=limits).files) == 9
    for name, message in (
        ("max_bytes", "MB are allowed"),
        ("max_entries", "entries"),
        ("max_unpacked_bytes", "unpacked"),
    ):
        with pytest.raises(ImageTooLargeError, match=message):
            read_archive(data, limits=ArchiveLimits(**{name: getattr(limits, name) - 1}))
    archive = read_archive(data, limits=ArchiveLimits(max_images=5))
    assert [len(archive.files), len(archive.left_out)] == [5, 4]
    assert archive.left_out[0].reason == "after the first 5 images"


def test_bomb_that_lies_about_its_size_takes_no_memory() -> None:
    data = bytearray(pack({"bomb.jpg": bytes(200_000_000)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + offset
        data[place : place + 4] = (1000).to_bytes(4, "little")
    (file,) = read_archive(bytes(data)).files
    tracemalloc.start()
    with pytest.raises(UnreadableImageError, match=r"bomb\.jpg cannot be unpacked"):
        file.getvalue()
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [("a.zip", b"", True), ("a.bin", pack({}), True), ("a.ZIP", b"text", True), ("a.jpg", PHOTO, False)],
)
def test_archives_are_known_by_contents_or_name(name: str, data: bytes, expected: bool) -> None:
    assert is_archive(name, data) == expected


def test_written_archive_is_read() -> None:
    archive = read_archive(write_archive([("a.jpg", PHOTO), ("b/a.jpg", b"2")]))
    assert {file.name: file.getvalue() for file in archive.files} == {"a.jpg": PHOTO, "b/a.jpg": b"2"}


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Half of the time in the directory at the end, which decides how the rest is read."""
    if rng.integers(2):
        return mutate(data, rng)
    start = data.index(b"PK\x01\x02")
    return data[:start] + mutate(data[start:], rng)


def answers(data: bytes) -> list[str]:
    def answer(read: Callable[[], object]) -> str:
        try:
            read()
        except ImageError as error:
            return "error" if len(str(error)) > 20 else "no message"
        return "picture"

    try:
        archive = read_archive(data)
    except ImageError as error:
        return ["refused" if "ZIP file" in str(error) else "no message"]
    left_out = ["left out" if rejected.reason else "no message" for rejected in archive.left_out]
    return [answer(lambda file=file: decode(file.getvalue(), name=file.name)) for file in archive.files] + left_out


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mutated_archives_give_pictures_or_clear_errors() -> None:
    originals = [
        pack({"a.jpg": PHOTO, "b/c.png": save(Image.new("L", (40, 30)), "PNG"), "d.txt": b"text"}, method)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    ]
    rng = np.random.default_rng(0)
    seen: Counter[str] = Counter()
    for _ in range(COUNT):
        start_s = time.perf_counter()
        seen.update(answers(damage(originals[rng.integers(2)], rng)))
        assert time.perf_counter() - start_s < LONGEST_S
    assert set(seen) == {"picture", "error", "refused", "left out"}
