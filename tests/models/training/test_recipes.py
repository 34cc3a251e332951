"""All recipes, without training: they name what exists, and what is reported of baselines is sound."""

import inspect
from dataclasses import replace

import pytest

from core.datasets.label_subsets import load_five_emotions
from core.tasks import TASKS as CORE_TASKS
from models.exporting.reported_results import REPORTED_RESULTS, ReportedResult
from models.registry import ARCHITECTURES
from models.training.baseline_recipes import BASELINE_CONFIGS
from models.training.optimizers import build_optimizer
from models.training.recipes import CONFIGS, get_recipe
from models.training.tasks import TASKS


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_a_recipe_names_what_exists(config):
    assert config.task in TASKS
    inspect.signature(ARCHITECTURES[config.architecture]).bind(**config.architecture_arguments)
    assert config.architecture_arguments.get("input_size", config.image_size) == config.image_size
    build_optimizer(config, 10)
    if config.start_from:
        assert CONFIGS[config.start_from].architecture == config.architecture
    assert 0 < config.last_epoch <= config.epochs


def test_every_baseline_names_its_recipe_and_reported_results():
    assert set(REPORTED_RESULTS) == set(BASELINE_CONFIGS)
    for config in BASELINE_CONFIGS.values():
        assert config.recipe
        outputs = CORE_TASKS[TASKS[config.task].core_task].outputs
        assert {result.output for result in REPORTED_RESULTS[config.name]} <= set(outputs)


@pytest.mark.parametrize(
    "arguments",
    [("age", "rank", "", 1, 2, "x"), ("emotion", "accuracy", "", 0.9, 1.1, "x"), ("age", "mae", "", 4, 3, "x")],
)
def test_impossible_reported_results_are_refused(arguments):
    with pytest.raises(ValueError, match="reported result"):
        ReportedResult(*arguments)


def test_other_epochs_scale_final_epochs_and_steps():
    config = replace(get_recipe("emotion_base"), epochs=64, stop_after=56, closing_epochs=16)
    assert (config.with_epochs(100).last_epoch, config.with_epochs(100).closing_epochs) == (100, 25)
    assert (config.with_epochs(8).last_epoch, config.with_epochs(8).closing_epochs) == (8, 2)
    config = replace(get_recipe("ssr_net_age"), epochs=90, step_epochs=(30, 60))
    assert config.with_epochs(12) == replace(config, epochs=12, step_epochs=(4, 8))
    assert config.with_epochs(1).step_epochs == (1, 1)


def test_five_emotions_leave_out_two(fer2013_dir):
    data = load_five_emotions(fer2013_dir)
    assert set(data.splits) == {"train", "five_public", "five_private"}
    assert {int(label) for samples in data.splits.values() for label in samples.labels["emotion"]} == {0, 3, 4, 5, 6}
    task, config = TASKS["emotion_five"], BASELINE_CONFIGS["five_emotions"]
    images, targets = task.validation(config, task.load(fer2013_dir, config))
    assert images.shape == (len(data.splits["five_public"]), 64, 64, 1)
    assert not targets["emotion"][:, [1, 2]].any()
