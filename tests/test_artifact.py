import json

import pytest

from core.artifact import ARTIFACTS_DIR, SERVED_FILE, list_artifacts, load_card, sha256_of, verified_file
from core.errors import ArtifactCorruptError, ArtifactMissingError

CARD = {
    "name": "toy",
    "title": "Toy",
    "task": "emotion",
    "architecture": "toy",
    "parameters": 1,
    "input": {"size": 8, "channels": 1},
    "crop": {"scale": 1.2, "shift_y": 0.0},
    "metrics": {},
    "training": {},
    "data": {},
    "license": "none",
    "intended_use": "tests",
    "limits": "all",
}


@pytest.fixture
def toy(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    served = folder / SERVED_FILE
    served.write_bytes(b"weights")
    files = {SERVED_FILE: {"bytes": 7, "sha256": sha256_of(served)}}
    (folder / "card.json").write_text(json.dumps(CARD | {"files": files}))
    return folder


def test_an_intact_file_is_verified(toy):
    card = load_card(toy)
    assert card.crop.scale == 1.2
    assert verified_file(toy, SERVED_FILE, card) == toy / SERVED_FILE


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (None, ArtifactMissingError, "is missing"),
        (b"weigh", ArtifactCorruptError, "truncated or altered: 5 bytes instead of 7"),
        (b"weightz", ArtifactCorruptError, "SHA-256"),
    ],
    ids=["missing", "truncated", "altered"],
)
def test_a_broken_file_is_named_with_the_command_that_restores_it(toy, content, error, words):
    served = toy / SERVED_FILE
    served.unlink() if content is None else served.write_bytes(content)
    with pytest.raises(error, match=words) as raised:
        verified_file(toy, SERVED_FILE, load_card(toy))
    assert str(served) in str(raised.value)
    assert "git restore models/artifacts/toy" in str(raised.value)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", json.dumps(CARD | {"files": {}, "task": "weather"}), json.dumps({"name": "toy"})]
)
def test_a_card_that_is_none(toy, content):
    (toy / "card.json").write_text(content)
    with pytest.raises(ArtifactCorruptError, match=r"card\.json"):
        load_card(toy)


def test_listing_keeps_the_broken_with_their_error(toy):
    (toy.parent / "broken").mkdir()
    found = {artifact.name: artifact for artifact in list_artifacts(toy.parent)}
    assert found["toy"].error is None
    assert isinstance(found["broken"].error, ArtifactMissingError)
    assert found["broken"].card is None


def test_no_folder_lists_nothing(tmp_path):
    assert list_artifacts(tmp_path / "nowhere") == ()


@pytest.mark.parametrize("folder", sorted(p for p in ARTIFACTS_DIR.glob("*") if p.is_dir()), ids=lambda p: p.name)
def test_installed_artifacts_are_intact_and_small(folder):
    card = load_card(folder)
    assert card.name == folder.name
    for name in card.files:
        assert verified_file(folder, name, card).stat().st_size <= 5_000_000
    assert SERVED_FILE in card.files
