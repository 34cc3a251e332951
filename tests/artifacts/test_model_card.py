import json

import pytest

from core.artifacts.model_card import (
    ARTIFACTS_DIR,
    SERVED_FILE,
    is_served,
    list_artifacts,
    load_card,
    rebuild_commands,
    verified_file,
)
from core.artifacts.storage import sha256_of
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.tasks import TASKS
from tests.fakes.evaluation import card_dict

CARD = card_dict("toy", "emotion", crop={"scale": 1.2, "shift_y": 0.0}, training={})
REPORTED_RESULT = {"output": "emotion", "measure": "accuracy", "text": "94 %", "source": "a report"}


def write_card(folder, **changes):
    folder.mkdir(exist_ok=True)
    (folder / "card.json").write_text(json.dumps(CARD | changes))
    return load_card(folder)


@pytest.fixture
def toy(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    served = folder / SERVED_FILE
    served.write_bytes(b"weights")
    write_card(folder, files={SERVED_FILE: {"bytes": 7, "sha256": sha256_of(served)}})
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
def test_a_broken_file_is_named(toy, content, error, words):
    served = toy / SERVED_FILE
    served.unlink() if content is None else served.write_bytes(content)
    with pytest.raises(error, match=words) as raised:
        verified_file(toy, SERVED_FILE, load_card(toy))
    assert str(served) in str(raised.value)
    assert "git restore models/artifacts/toy" in str(raised.value)


@pytest.mark.parametrize("content", ["", "[]", "{", json.dumps({"name": "toy"})])
def test_a_card_that_is_none(toy, content):
    (toy / "card.json").write_text(content)
    with pytest.raises(ArtifactCorruptError, match=r"card\.json"):
        load_card(toy)


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "weather"},
        {"min_confidence": {"emotion": 1.5}},
        {"temperature": {"emotion": 0}},
        {"crop": {"points": [[0, 1]]}},
        {"claims": [{"text": "94 %"}]},
        {"several_views": {"private": {"accuracy": None}}},
        {"metrics": {"private": {"accuracy": True}}},
        {"input": {"size": 48}},
        {"training": {"rounds": [{}]}},
        {"files": {SERVED_FILE: {"bytes": "7", "sha256": ""}}},
        {"not_included": {SERVED_FILE: None}},
    ],
    ids=str,
)
def test_a_malformed_card_leaves_the_others(toy, changes):
    broken = toy.parent / "broken"
    broken.mkdir()
    (broken / "card.json").write_text(json.dumps(CARD | changes))
    found = {artifact.name: artifact for artifact in list_artifacts(toy.parent)}
    assert isinstance(found["broken"].error, ArtifactCorruptError)
    assert "card.json is not a valid model card" in str(found["broken"].error)
    assert found["toy"].card is not None


@pytest.mark.parametrize(
    ("recipe_epochs", "epochs"), [(None, ""), (30, " --epochs 12"), (12, "")], ids=["ours", "shortened", "whole"]
)
def test_files_are_rebuilt_with_the_epochs_on_the_card(toy, recipe_epochs, epochs):
    rounds = {"rounds": [{"epochs_run": 5}, {"epochs_run": 7}]}
    train, export = rebuild_commands(write_card(toy, training=rounds, recipe_epochs=recipe_epochs))
    assert train == f"python -m models.train toy --data data{epochs}"
    assert export == "python -m models export toy --data data"


def test_a_peer_names_its_package_and_is_never_served(toy):
    files = {"model.bin": {"bytes": 1_500_000, "sha256": "a" * 64}}
    package = {"name": "peer", "version": "1.0", "registry": "npm", "input": "64x64 grey", "files": files}
    card = write_card(toy, package=package, files={})
    assert (card.is_peer, card.is_own, card.is_baseline) == (True, False, False)
    assert (card.package.version, card.package.seen, card.package.size_mb) == ("1.0", "", 1.5)
    (toy / SERVED_FILE).unlink()
    with pytest.raises(ArtifactMissingError, match="python -m models peers toy --data DIR"):
        verified_file(toy, SERVED_FILE, card)


@pytest.mark.parametrize("name", [SERVED_FILE, "card.json"])
def test_a_file_that_cannot_be_read_is_named(toy, monkeypatch, name):
    card = load_card(toy)
    (toy / "card.json").touch()

    def refused(path, *_arguments, **_named):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(toy), "read_bytes", refused)
    monkeypatch.setattr(type(toy), "read_text", refused)
    with pytest.raises(ArtifactCorruptError, match=name):
        verified_file(toy, name, card) if name == SERVED_FILE else load_card(toy)


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
    assert (SERVED_FILE in {**card.files, **card.excluded_files}) is not card.is_peer


@pytest.mark.parametrize("task", TASKS)
def test_a_card_says_what_its_network_answers(toy, task):
    assert write_card(toy, task=task).attributes == TASKS[task].attributes


def test_older_cards_are_those_of_our_own_networks(toy):
    card = load_card(toy)
    assert (card.reported_results, card.recipe, card.recipe_epochs, dict(card.excluded_files)) == ((), "", None, {})
    assert card.is_baseline is False
    assert card.epochs_run is None


def test_a_baseline_names_its_recipe_and_its_epochs(toy):
    rounds = {"rounds": [{"epochs_run": 3}, {"epochs_run": 4}]}
    card = write_card(toy, recipe="the authors'", recipe_epochs=50, claims=[REPORTED_RESULT], training=rounds)
    assert card.is_baseline
    assert (card.epochs_run, card.recipe_epochs, card.reported_results) == (7, 50, (REPORTED_RESULT,))


def test_a_file_that_is_not_included_can_be_made(toy):
    card = write_card(toy, not_included=load_card(toy).files)
    assert is_served(toy, card)
    assert verified_file(toy, SERVED_FILE, card) == toy / SERVED_FILE
    (toy / SERVED_FILE).unlink()
    assert not is_served(toy, card)
    with pytest.raises(ArtifactMissingError, match=r"models\.train toy --data data.*models export toy --data data"):
        verified_file(toy, SERVED_FILE, card)
