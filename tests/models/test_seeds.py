"""Mean and spread over seeds."""

import json
from dataclasses import asdict, replace

import pytest

from core.artifacts.model_card import SEEDS_KEY, load_card
from core.errors import ConfigError
from core.evaluation.tables import seeds_table
from models import seeds
from models.training.recipes import config_named
from models.training.runs import folder_of_run
from tests.fakes.leaderboard import copy_real_network

CONFIG = config_named("emotion")


def _run(runs, seed, accuracy, epochs=CONFIG.epochs, **changes):
    folder = folder_of_run(CONFIG, runs, seed)
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"config": asdict(replace(CONFIG, seed=seed, **changes))}))
    best = {"accuracy": 0.9, "val_accuracy": accuracy, "val_loss": 1.0, "epoch": 7 + seed}
    (folder / "state.json").write_text(json.dumps({"epoch": epochs, "best": best}))


def test_other_seeds_have_folders_of_their_own(tmp_path):
    names = [folder_of_run(CONFIG, tmp_path, seed).name for seed in (None, CONFIG.seed, 11)]
    assert names == ["emotion", "emotion", "emotion_seed11"]


def test_mean_and_spread_of_the_chosen_epochs(tmp_path):
    for seed, accuracy in ((CONFIG.seed, 0.70), (11, 0.68), (12, 0.69)):
        _run(tmp_path, seed, accuracy)
    report = seeds.seed_report(CONFIG, tmp_path)
    assert report["side"] == "public"
    assert report["runs"][0] == {"seed": CONFIG.seed, "epoch": 7 + CONFIG.seed, "accuracy": 0.70}
    assert report["mean"] == {"accuracy": pytest.approx(0.69)}
    assert report["standard_deviation"] == {"accuracy": pytest.approx(0.01)}


def test_one_finished_run_says_nothing_about_chance(tmp_path):
    _run(tmp_path, CONFIG.seed, 0.7)
    _run(tmp_path, 11, 0.6, epochs=CONFIG.epochs - 1)
    with pytest.raises(ConfigError, match=r"1 finished run\(s\) of emotion: train with"):
        seeds.seed_report(CONFIG, tmp_path)


def test_another_recipe_is_no_other_seed(tmp_path):
    _run(tmp_path, CONFIG.seed, 0.7)
    _run(tmp_path, 11, 0.6, mixup=0.3)
    with pytest.raises(ConfigError, match="mixup differ"):
        seeds.seed_report(CONFIG, tmp_path)


def test_the_command_writes_the_card(tmp_path, monkeypatch, capsys):
    runs, artifacts = tmp_path / "runs", tmp_path / "artifacts"
    _run(runs, CONFIG.seed, 0.7)
    _run(runs, 11, 0.6)
    folder = copy_real_network(artifacts)
    monkeypatch.setenv("FACET_ARTIFACTS", str(artifacts))
    assert seeds.main(["emotion", "--runs", str(runs)]) == 0
    assert json.loads(capsys.readouterr().out) == load_card(folder).raw[SEEDS_KEY]
    assert seeds.main(["emotion", "--runs", str(tmp_path / "none")]) == 2


def test_the_table_ends_with_mean_and_spread(tmp_path):
    _run(tmp_path, CONFIG.seed, 0.7)
    _run(tmp_path, 11, 0.6)
    table = seeds_table(seeds.seed_report(CONFIG, tmp_path))
    assert table["run"].tolist() == [f"seed {CONFIG.seed}", "seed 11", "mean", "standard deviation"]
    assert table["accuracy"].tolist() == pytest.approx([0.7, 0.6, 0.65, 0.0707], abs=1e-4)
    assert table["epoch"].isna().tolist() == [False, False, True, True]
