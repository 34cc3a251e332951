"""The real training path, one step long, on made-up faces. TensorFlow is loaded here and in test_export only."""

import csv
import json
import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

from dataclasses import replace

import keras

from core.datasets.faces import FACES_SPLITS, Annotations, FacePhoto, FacePhotos
from core.datasets.samples import Samples
from core.datasets.splits import SplitDataset
from core.detection import FaceArrays
from core.detection.decoding import STRIDE
from core.errors import ConfigError, DatasetError
from core.types import EMOTIONS, GENDERS
from models import registry, train
from models.training.baseline_recipes import BASELINE_CONFIGS
from models.training.ema import EmaWeights
from models.training.losses import age_distribution_loss, mae
from models.training.pipeline import Augmentation, TrainingBatches, augment_crop
from models.training.recipes import CONFIGS, get_recipe
from models.training.tasks import ATTRIBUTE_TASKS, TASKS
from tests.fakes.evaluation import write_fer2013_csv

SERVED = ("emotion", "age_gender")
STAGES = ((8, 2), (8, 2))
DETECTOR = {"widths": (8, 8, 8, 8), "fine_blocks": 1, "coarse_blocks": 1, "head": 8}


def made_up(task, count=24, size=24):
    rng = np.random.default_rng(1)
    channels = 1 if task == "emotion" else 3
    labels = (
        {"emotion": rng.integers(0, 7, count)}
        if task == "emotion"
        else {
            "age": rng.integers(0, 116, count),
            "gender": rng.integers(0, 2, count),
            "race": rng.integers(0, 5, count),
        }
    )
    images = rng.integers(0, 256, (count, size, size, channels), dtype=np.uint8)
    return Samples(np.array([f"s{i}" for i in range(count)]), images, labels)


def made_up_photo(number):
    image = np.random.default_rng(number).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    points = np.array([[30.0, 20], [50, 20], [40, 30], [33, 40], [47, 40]])
    pseudo_labels = FaceArrays(np.array([[20.0, 5, 60, 55]]), np.array([0.9]), points[None])
    return FacePhoto(image, Annotations(f"p{number}", (80, 60), np.zeros((0, 4, 2)), np.zeros((0, 4)), pseudo_labels))


def made_up_data(task):
    if task == "detection":
        photos = tuple(made_up_photo(number) for number in range(4))
        return FacePhotos(dict.fromkeys(FACES_SPLITS, photos), ())
    splits = ("train", "public", "private") if task == "emotion" else ("train", "validation", "test")
    splits = ("train", TASKS[task].validation_split) if task == "age_gender_published" else splits
    return SplitDataset("made-up", {split: made_up(task) for split in splits}, (), 0, 0)


def small(name):
    config = get_recipe(name)
    if config.task == "detection":
        shrunk = {"architecture_arguments": DETECTOR, "image_size": 64, "batch_size": 2, "epochs": 1}
        return replace(config, start_from=None, **shrunk)
    channels = 1 if config.task == "emotion" else 3
    return replace(
        config,
        architecture_arguments={"input_size": 16, "channels": channels, "stages": STAGES},
        image_size=16,
        source_size=24,
        batch_size=8,
        epochs=1,
        start_from=None,
        precision="float32",
    )


@pytest.mark.parametrize("name", sorted(CONFIGS.keys() - BASELINE_CONFIGS.keys()))
def test_one_epoch_writes_a_run(tmp_path, name):
    config = small(name)
    data = made_up_data(config.task)
    best = train.train_and_evaluate(config, data, tmp_path, verbose=0)
    assert best["epoch"] == 1
    assert TASKS[config.task].objective.monitor in best
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["fingerprints"] == data.metadata()["fingerprints"]
    model = registry.build(config.architecture, **config.architecture_arguments)
    assert run["trainable_parameters"] + run["frozen_parameters"] == model.count_params()
    assert 0 < run["trainable_parameters"] < model.count_params()
    assert run["start"] == "random weights"
    model.load_weights(tmp_path / "best.weights.h5")


@pytest.mark.parametrize("name", ["age_gender", "emotion", "face_detector"])
def test_resume_goes_on(tmp_path, name):
    config = replace(small(name), epochs=2)
    data = made_up_data(config.task)
    train.train_and_evaluate(replace(config, stop_after=1), data, tmp_path, verbose=0)
    train.train_and_evaluate(config, data, tmp_path, resume=True, verbose=0)
    with (tmp_path / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["elapsed_s"]) > float(rows[0]["elapsed_s"])
    assert json.loads((tmp_path / "state.json").read_text())["epoch"] == 2


def test_a_second_round_starts_from_the_weights_of_the_first(tmp_path):
    base, data = small("age_gender_base"), made_up_data("age_gender")
    second = replace(small("age_gender"), start_from=base.name, learning_rate=0.0, epochs=1)
    with pytest.raises(ConfigError, match="train first"):
        train.train_and_evaluate(second, data, tmp_path / second.name, verbose=0)
    train.train_and_evaluate(base, data, tmp_path / base.name, verbose=0)
    train.train_and_evaluate(second, data, tmp_path / second.name, verbose=0)
    models = [registry.build(base.architecture, **base.architecture_arguments) for _ in range(2)]
    for model, name in zip(models, (base.name, second.name), strict=True):
        model.load_weights(tmp_path / name / "best.weights.h5")
    first, last = (model.get_layer("stem_conv").get_weights()[0] for model in models)
    assert np.array_equal(first, last)


@pytest.mark.parametrize(
    ("schedule", "changes", "words"),
    [
        ("cosine", {"epochs": 4}, "epochs was not the same"),
        ("constant", {"batch_size": 4, "epochs": 4}, "batch_size was not the same"),
        ("constant", {"epochs": 2}, None),
    ],
    ids=["a schedule for other epochs", "another recipe", "more epochs at one rate"],
)
def test_a_run_goes_on_as_it_began(tmp_path, schedule, changes, words):
    config, data = replace(small("emotion"), schedule=schedule), made_up_data("emotion")
    train.train_and_evaluate(config, data, tmp_path, verbose=0)
    longer = replace(config, **changes)
    if words is None:
        train.train_and_evaluate(longer, data, tmp_path, resume=True, verbose=0)
        assert json.loads((tmp_path / "state.json").read_text())["epoch"] == 2
        return
    with pytest.raises(ConfigError, match=words):
        train.train_and_evaluate(longer, data, tmp_path, resume=True, verbose=0)


def test_a_loss_that_is_no_number_ends_the_run_before_anything_is_kept(tmp_path):
    config = replace(small("emotion"), schedule="constant", learning_rate=1e30)
    with pytest.raises(ConfigError, match="loss of epoch 1 is no number"):
        train.train_and_evaluate(config, made_up_data("emotion"), tmp_path, verbose=0)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.json"]


def test_a_start_that_fails_leaves_the_last_run_as_it_is_and_a_new_one_nothing_of_it(tmp_path):
    config, data, kept = small("emotion"), made_up_data("emotion"), {}
    train.train_and_evaluate(config, data, tmp_path, verbose=0)
    for name in ("history.csv", "state.json", "best.weights.h5"):
        kept[name] = (tmp_path / name).read_bytes()
    with pytest.raises(ConfigError, match="train first"):
        train.train_and_evaluate(replace(config, start_from="age_gender_base"), data, tmp_path, verbose=0)
    assert {name: (tmp_path / name).read_bytes() for name in kept} == kept
    with pytest.raises(ConfigError, match="is no number"):
        train.train_and_evaluate(replace(config, schedule="constant", learning_rate=1e30), data, tmp_path, verbose=0)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.json"]


def test_other_epochs_are_all_run_with_the_closing_ones_in_their_place():
    config = replace(get_recipe("emotion_base"), epochs=64, stop_after=56, closing_epochs=16)
    assert (config.with_epochs(100).last_epoch, config.with_epochs(100).closing_epochs) == (100, 25)
    assert (config.with_epochs(8).last_epoch, config.with_epochs(8).closing_epochs) == (8, 2)


@pytest.mark.parametrize(
    "options", [("--epochs", "0"), ("--seed", "-1"), ("--limit", "0"), ("--epochs", "two")], ids=" ".join
)
def test_numbers_that_make_no_sense_are_refused_at_once(options, capsys):
    with pytest.raises(SystemExit) as ended:
        train.main(["emotion", "--data", "nowhere", *options])
    assert ended.value.code == 2
    assert f"argument {options[0]}: must be" in capsys.readouterr().err


def test_resume_without_a_run_says_so(tmp_path):
    with pytest.raises(ConfigError, match="nothing to resume"):
        train.train_and_evaluate(small("emotion"), made_up_data("emotion"), tmp_path, resume=True, verbose=0)
    (tmp_path / "state.json").write_text('{"epoch": 1, "best": {}}')
    (tmp_path / "last.keras").write_bytes(b"")
    with pytest.raises(ConfigError, match="nothing to resume"):
        train.train_and_evaluate(small("emotion"), made_up_data("emotion"), tmp_path, resume=True, verbose=0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["nonsense", "--data", "."],
            "choose one of face_detector_base, face_detector, emotion",
        ),
        (["emotion", "--data", "/nowhere"], "expected DIR/fer2013"),
    ],
    ids=["config", "data"],
)
def test_a_wrong_name_is_one_line_and_status_2(capsys, arguments, words):
    assert train.main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1


def test_parameter_count_and_outputs():
    emotion = registry.build("emotion_residual")
    assert emotion.count_params() == 679_767
    served = {
        name: registry.build(CONFIGS[name].architecture, **CONFIGS[name].architecture_arguments) for name in SERVED
    }
    assert {name: model.count_params() for name, model in served.items()} == {
        "emotion": 1_510_871,
        "age_gender": 1_579_719,
    }
    assert {name: tensor.shape for name, tensor in emotion.output.items()} == {"emotion": (None, len(EMOTIONS))}
    age_gender = registry.build("age_gender_residual")
    assert {name: tensor.shape[1] for name, tensor in age_gender.output.items()} == {"age": 101, "gender": len(GENDERS)}


@pytest.mark.parametrize("size", [(64, 96), (240, 320)], ids=str)
def test_the_detector_answers_one_cell_for_8_by_8_pixels_at_any_size(size):
    model = registry.build("face_detector")
    assert model.count_params() == 157_903
    answers = model(np.zeros((1, *size, 3), np.float32), training=False)
    cells = (1, size[0] // STRIDE, size[1] // STRIDE)
    assert {name: tuple(values.shape) for name, values in answers.items()} == {
        "score": (*cells, 1),
        "geometry": (*cells, 14),
    }


def test_brightness_and_contrast_cancel_out():
    model = registry.build("emotion_residual", input_size=16, stages=STAGES)
    image = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 1)).astype(np.float32)
    plain, changed = (np.asarray(model(x, training=False)["emotion"]) for x in (image, image * 0.5 + 30))
    assert plain == pytest.approx(changed, abs=0.01)


def test_unknown_architecture_says_what_is_allowed():
    with pytest.raises(ConfigError, match="emotion_residual"):
        registry.build("nonsense")


@pytest.mark.parametrize("age", [0, 30, 100, 116])
def test_age_loss_is_lowest_at_the_true_age(age):
    years = np.arange(101)
    truth = np.full((101, 1), age, np.float32)
    peaks = np.exp(-((years[None] - years[:, None]) ** 2) / 8)
    peaks = (peaks / peaks.sum(1, keepdims=True)).astype(np.float32)
    losses = np.asarray(age_distribution_loss(truth, peaks))
    assert losses.argmin() == min(age, 100)
    assert np.asarray(mae(np.float32([[40]]), peaks[30:31])) == pytest.approx([10], abs=0.01)


def batches(seed=3, epoch=0):
    task = ATTRIBUTE_TASKS["emotion"]
    return TrainingBatches(made_up("emotion"), task.targets, 16, 8, Augmentation(), seed, epoch)


def test_batches_repeat_with_the_seed_and_differ_by_epoch():
    first, again, later = batches(), batches(), batches(epoch=1)
    assert len(first) == 3
    assert np.array_equal(first[1][0], again[1][0])
    assert not np.array_equal(first[1][0], later[1][0])
    again.on_epoch_end()
    assert np.array_equal(again[2][0], later[2][0])


def test_the_closing_augmentation_takes_over_at_its_epoch():
    still = Augmentation(0, 0, 0, 0, 0, 0, 0, flip=False)
    task, samples = ATTRIBUTE_TASKS["emotion"], made_up("emotion")

    def first_batch(epoch):
        closing = TrainingBatches(samples, task.targets, 24, 8, Augmentation(), 3, epoch, still, closing_epoch=2)
        return closing[0][0]

    order = np.random.default_rng((3, 2)).permutation(len(samples))
    assert np.array_equal(first_batch(2), samples.images[order[:8]])
    assert not np.array_equal(first_batch(1), samples.images[np.random.default_rng((3, 1)).permutation(24)[:8]])


def test_damage_changes_a_crop_and_keeps_its_form():
    damaged = Augmentation(0, 0, 0, 0, 0, 0, 0, damage_probability=1.0, flip=False)
    image = made_up("emotion", 1).images[0]
    rng = np.random.default_rng(0)
    changed = [augment_crop(image, 24, damaged, rng) for _ in range(40)]
    assert {one.shape for one in changed} == {(24, 24, 1)}
    assert sum(not np.array_equal(one, image) for one in changed) > 30


def test_soft_emotions_need_the_votes(tmp_path):
    config = replace(small("emotion"), annotators_share=0.5)
    with pytest.raises(DatasetError, match="ferplus_votes"):
        ATTRIBUTE_TASKS["emotion"].load(write_fer2013_csv(tmp_path), config)


def test_augmentation_without_ranges_changes_nothing():
    still = Augmentation(0, 0, 0, 0, 0, 0, 0, flip=False)
    image = made_up("emotion", 1)
    assert np.array_equal(augment_crop(image.images[0], 24, still, np.random.default_rng(0)), image.images[0])


def test_average_is_in_place_only_while_evaluated():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    average = EmaWeights(0.9)
    average.set_model(model)
    for value in (1.0, 3.0):
        model.set_weights([np.full((1, 1), value, np.float32)])
        average.on_train_batch_end(0)
    with average.in_place():
        inside = float(model.get_weights()[0][0, 0])
    assert 1.0 < inside < 3.0
    assert float(model.get_weights()[0][0, 0]) == 3.0


def test_a_shorter_run_keeps_the_places_of_its_steps():
    config = replace(get_recipe("ssr_net_age"), epochs=90, step_epochs=(30, 60))
    shorter = config.with_epochs(12)
    assert (shorter.epochs, shorter.step_epochs) == (12, (4, 8))
    assert replace(shorter, epochs=90, step_epochs=(30, 60)) == config
    assert config.with_epochs(1).step_epochs == (1, 1)
