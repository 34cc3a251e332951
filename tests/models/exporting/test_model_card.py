import csv
import io
import json

import keras
import pytest

from core.artifacts.model_card import (
    ARTIFACTS_DIR,
    KERAS_FILE,
    SERVED_FILE,
    AlignmentSpec,
    ModelCard,
    list_artifacts,
    load_card,
)
from core.artifacts.storage import from_json
from core.errors import ConfigError
from core.tasks import ATTRIBUTE_TASKS
from models.exporting import model_card as cards
from models.exporting.model_card import (
    build_card,
    describe_network,
    join_histories,
    read_alignment,
    read_card,
    renew_texts,
    write_card,
)
from models.exporting.reported_results import REPORTED_RESULTS
from models.training.baseline_recipes import BASELINE_CONFIGS
from models.training.recipes import CONFIGS
from models.training.tasks import TASKS as TRAINING_TASKS
from tests.fakes.evaluation import card_dict

RUN = {"config": {"epochs": 5}, "backend": "torch", "samples": {"train": 7}}
RECORDED = {"trainable_parameters": 9, "frozen_parameters": 1, "start": "ImageNet weights"}


def finished_run(root, name, elapsed_s=(10.0, 20.0), **facts):
    folder = root / name
    folder.mkdir()
    rows = ["epoch,elapsed_s,loss"] + [f"{n},{s},{1 / n}" for n, s in enumerate(elapsed_s, start=1)]
    (folder / "history.csv").write_text("\n".join(rows) + "\n")
    (folder / "run.json").write_text(json.dumps(RUN | facts))
    (folder / "state.json").write_text(json.dumps({"epoch": 2, "best": {"epoch": 1}}))
    return folder


def test_joined_histories_count_on_where_the_clock_restarted(tmp_path):
    first = finished_run(tmp_path, "first", [10.0, 20.0, 9.0, 21.0])
    second = finished_run(tmp_path, "second", [5.0, 11.0])
    rows = list(csv.DictReader(io.StringIO(join_histories([first, second]))))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [float(row["elapsed_s"]) for row in rows] == [10, 20, 29, 41, 46, 52]
    assert [row["round"] for row in rows] == ["1", "1", "1", "1", "2", "2"]
    assert rows[4]["loss"] == "1.0"


def test_every_attribute_task_can_be_trained():
    assert {TRAINING_TASKS[config.task].core_task for config in CONFIGS.values()} == set(ATTRIBUTE_TASKS)


@pytest.mark.parametrize("config", BASELINE_CONFIGS.values(), ids=list(BASELINE_CONFIGS))
def test_the_card_of_a_baseline(tmp_path, config):
    channels = 3 if "gender" in config.name else 1
    raw = build_card(config, finished_run(tmp_path, config.name), 10, channels, RECORDED)
    card = ModelCard.from_dict(json.loads(json.dumps(raw)))
    assert card.is_baseline
    assert card.task == TRAINING_TASKS[config.task].core_task
    assert (card.recipe, card.recipe_epochs, card.epochs_run) == (config.recipe, config.epochs, 2)
    assert [result["text"] for result in card.reported_results] == [
        result.text for result in REPORTED_RESULTS[config.name]
    ]
    assert (card.raw["trainable_parameters"], card.raw["frozen_parameters"]) == (9, 1)
    assert card.training["start"] == "ImageNet weights"
    assert ("colour" if channels == 3 else "grey") in card.title
    assert f"{config.image_size}x{config.image_size}" in card.title
    assert card.data["samples"] == {"train": 7}
    assert not {"start", "config", "backend"} & set(card.data)
    assert "FER+" not in card.data["dataset"]


def test_alignment_is_that_of_a_network_of_the_same_data_set(tmp_path, monkeypatch):
    for task, source in (("emotion_five", "emotion"), ("gender", "age_gender"), ("age_gender_published", "age_gender")):
        assert read_alignment(task)["points"] == read_card(ARTIFACTS_DIR / source)["crop"]["points"]
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    assert from_json(AlignmentSpec, read_alignment("gender")) == AlignmentSpec()


def test_recorded_facts_of_the_run_win(tmp_path):
    config, now = (
        BASELINE_CONFIGS["mobilenet_transfer_emotion"],
        RECORDED | {"trainable_parameters": 10, "start": "random"},
    )
    with pytest.raises(ConfigError, match=r"run\.json is missing: train first"):
        build_card(config, tmp_path / "x", 10, 1, now)
    raw = build_card(config, finished_run(tmp_path, "x", **RECORDED), 10, 1, now)
    assert (raw["trainable_parameters"], raw["training"]["start"]) == (9, "ImageNet weights")


def test_our_own_networks_have_no_reported_results(tmp_path):
    for name in ("emotion_base", "emotion_second", "emotion_third"):
        finished_run(tmp_path, name, config={"annotators_share": CONFIGS[name].annotators_share})
    raw = build_card(CONFIGS["emotion_third"], tmp_path / "emotion_third", 10, 1, RECORDED)
    card = ModelCard.from_dict(raw)
    assert not card.is_baseline
    assert (card.reported_results, card.recipe_epochs, card.title) == ((), None, "Emotion, 48x48 grey")
    assert card.training["start"] == "weights of emotion_second"
    assert "FER+" in card.data["dataset"]


def test_parameters_are_counted():
    inputs = keras.Input((4,))
    frozen = keras.layers.Dense(3, trainable=False)
    model = keras.Model(inputs, keras.layers.BatchNormalization()(frozen(inputs)))
    assert describe_network(model) == {
        "trainable_parameters": 6,
        "frozen_parameters": 15 + 6,
        "start": "ImageNet weights",
    }


def test_large_model_files_are_excluded_until_they_are_small(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "MAX_COMMITTED_BYTES", 100)
    for name, size in ((SERVED_FILE, 100), (KERAS_FILE, 99), ("history.csv", 500)):
        (tmp_path / name).write_bytes(bytes(size))
    write_card(tmp_path, card_dict("toy", "gender"))
    card = load_card(tmp_path)
    assert set(card.files) == {KERAS_FILE, "history.csv"}
    assert {name: facts["bytes"] for name, facts in card.excluded_files.items()} == {SERVED_FILE: 100}
    assert "/model.tflite" in (tmp_path / ".gitignore").read_text().splitlines()
    (tmp_path / SERVED_FILE).unlink()
    write_card(tmp_path, read_card(tmp_path))
    assert set(load_card(tmp_path).excluded_files) == {SERVED_FILE}
    (tmp_path / SERVED_FILE).write_bytes(bytes(10))
    write_card(tmp_path, read_card(tmp_path))
    card = load_card(tmp_path)
    assert (set(card.files), dict(card.excluded_files)) == ({SERVED_FILE, KERAS_FILE, "history.csv"}, {})
    assert not (tmp_path / ".gitignore").exists()


@pytest.mark.parametrize("artifact", list_artifacts(ARTIFACTS_DIR), ids=lambda artifact: artifact.name)
def test_stored_cards_have_current_texts(artifact):
    card = read_card(ARTIFACTS_DIR / artifact.name)
    assert card == renew_texts(card), f"run: python -m models export {artifact.name} --format texts"
