"""All architectures: sizes, outputs, one step of training, and the way to disk and to LiteRT."""

import json
import math
import warnings

import keras
import numpy as np
import pytest

from core.attributes.estimator import LiteRTModel
from core.detection.decoding import STRIDES
from core.errors import ConfigError
from core.tasks import FIVE_EMOTIONS
from core.types import EMOTIONS
from models import registry
from models.architectures.baselines import mobilenet_transfer
from models.exporting.quantization import to_float32
from models.training.baseline_recipes import BASELINE_CONFIGS
from models.training.optimizers import build_optimizer
from models.training.recipes import CONFIGS
from models.training.tasks import TASKS
from tests.fakes.training import made_up_samples


def no_weights():
    return None


# One recipe for each architecture of a baseline, shrunk.
SMALL = {
    "six_conv_emotion": {"input_size": 16, "pairs": ((4, 5), (4, 5), (8, 3))},
    "three_conv_emotion": {"input_size": 16, "dense": ((16, 0.5), (8, 0.5))},
    "three_conv_gender": {"input_size": 16, "dense": ((16, 0.3), (8, 0.2))},
    "mobilenet_transfer_gender": {"input_size": 32, "imagenet_weights": no_weights},
    "four_conv": {"input_size": 32, "dense": 16},
    "tflearn_cnn": {"input_size": 16, "dense": 16},
    "five_emotions": {"input_size": 32, "widths": (8, 8)},
    "ssr_net_age": {},
    "vgg16_age": {"input_size": 32, "blocks": ((4, 2), (4, 2), (8, 3), (8, 3), (8, 3)), "dense": 16},
    "levi_hassner": {"input_size": 35, "filters": (8, 8, 8), "dense": 16},
}
OWN = {"emotion": 2_342_615, "age_gender": 2_411_463}
WIDTHS = {"emotion": 7, "gender": 2, "age": 101, "age_group": 8}


def build_small(name):
    config = BASELINE_CONFIGS[name]
    return registry.build(config.architecture, **dict(config.architecture_arguments) | SMALL[name])


def trainable(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def crops(model, count=3):
    shape = (count, *model.input_shape[1:])
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def predict(model, images):
    return {name: np.asarray(values) for name, values in model(images.astype(np.float32), training=False).items()}


def targets(config, count):
    task = TASKS[config.task]
    return task.targets(made_up_samples(task.core_task, count, side=1))


def step(model, config, count=6):
    """One training step of the recipe; running eagerly saves tracing a graph for it. Returns the logs."""
    objective = TASKS[config.task].objective
    model.compile(
        build_optimizer(config, 10),
        objective.losses(config.label_smoothing),
        metrics=objective.metrics(),
        run_eagerly=True,
    )
    images, wanted = crops(model, count).astype(np.float32), targets(config, count)
    return model.fit(images, wanted, validation_data=(images, wanted), batch_size=count, verbose=0).history


def test_every_architecture_of_a_baseline_is_tested():
    tested = {BASELINE_CONFIGS[name].architecture for name in SMALL}
    assert tested == {config.architecture for config in BASELINE_CONFIGS.values()}


@pytest.mark.parametrize(
    ("name", "arguments", "total", "learnt"),
    [
        ("six_conv", {}, 2_785_863 + 1_152, 2_785_863),
        ("six_conv", {"output": "gender", "channels": 3}, 2_788_418 + 1_152, 2_788_418),
        ("three_conv_emotion", {}, 19_667_207, 19_663_239),
        ("three_conv_gender", {}, 4_890_242, 4_888_962),
        ("mobilenet_transfer", {"imagenet_weights": no_weights}, 2_401_799 + 834_240, 3_214_151),
        ("four_conv", {}, 2_345_607, 2_345_607),
        # The wide dense layers of these two would take most of the memory that the tests may have.
        ("tflearn_cnn", {"dense": 16}, 56_883_015 - (3_072 - 16) * (18_432 + 1 + 7), 530_375),
        ("mini_xception", {}, 58_423, 56_951),
        ("mini_xception", {"output": "gender", "channels": 3}, 52_658, 51_186),
        ("ssr_net", {}, 40_915, 40_531),
        ("ssr_net", {"output": "gender"}, 40_915, 40_531),
        ("vgg16_age", {"dense": 16}, 14_714_688 + 32_784 + 272 + 1_717 + 34, 14_749_495),
        ("levi_hassner", {}, 11_416_074, 11_416_074),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_parameters_are_those_of_the_authors(name, arguments, total, learnt):
    model = registry.build(name, **arguments)
    assert (model.count_params(), trainable(model)) == (total, learnt)


@pytest.fixture(scope="module")
def imagenet_file(tmp_path_factory):
    """Stands in for Keras' download: another MobileNet's weights."""
    file = tmp_path_factory.mktemp("weights") / "no_top.h5"
    keras.utils.set_random_seed(5)
    keras.applications.MobileNet(input_shape=(32, 32, 3), include_top=False, weights=None).save(file)
    return file


@pytest.mark.parametrize(
    ("output", "learnt", "frozen"), [("emotion", 2_401_799, 834_240), ("gender", 2_396_674, 834_240)], ids=str
)
def test_imagenet_weights_are_kept_below_the_last_layers(imagenet_file, output, learnt, frozen):
    model = mobilenet_transfer.build(output, 32, imagenet_weights=lambda: imagenet_file)
    assert (trainable(model), model.count_params() - trainable(model)) == (learnt, frozen)
    assert mobilenet_transfer.find_initialization(model) == mobilenet_transfer.IMAGENET
    given = keras.saving.load_model(imagenet_file, compile=False)
    for name in ("conv1", "conv_dw_1_bn", "conv_pw_13"):
        for mine, theirs in zip(model.get_layer(name).get_weights(), given.get_layer(name).get_weights(), strict=True):
            assert np.array_equal(mine, theirs)


def test_frozen_layers_do_not_move_in_a_step(imagenet_file):
    model = mobilenet_transfer.build(input_size=32, imagenet_weights=lambda: imagenet_file)
    before = [weight.copy() for weight in model.get_layer("conv_dw_1_bn").get_weights()]
    learning = model.get_layer("conv_pw_13").get_weights()[0].copy()
    step(model, BASELINE_CONFIGS["mobilenet_transfer_emotion"], count=4)
    after = model.get_layer("conv_dw_1_bn").get_weights()
    assert all(np.array_equal(*weights) for weights in zip(before, after, strict=True))
    assert not np.array_equal(learning, model.get_layer("conv_pw_13").get_weights()[0])


@pytest.mark.parametrize("name", SMALL)
def test_outputs_survive_a_step_and_every_format(name, tmp_path):
    config, model = BASELINE_CONFIGS[name], build_small(name)
    assert set(model.output) == set(targets(config, 1))
    before = [weight.copy() for weight in model.get_weights()]
    logs = step(model, config)
    assert math.isfinite(logs["loss"][0])
    assert TASKS[config.task].objective.monitor in logs
    assert any(not np.array_equal(*weights) for weights in zip(before, model.get_weights(), strict=True))
    model, images = build_small(name), crops(model)
    expected = predict(model, images)
    for output, values in expected.items():
        if name == "ssr_net_age":
            assert values.shape == (3, 1)
        else:
            assert values.shape == (3, WIDTHS[output])
            assert values.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
            assert values.min() >= 0.0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    # JSON and weights apart: the format of older projects.
    rebuilt = keras.models.model_from_json(json.dumps(json.loads(model.to_json())))
    rebuilt.set_weights(model.get_weights())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        served = LiteRTModel(to_float32(model))
    batch, single = served.predict(images), served.predict(images[:1])
    for output, values in expected.items():
        assert np.array_equal(predict(loaded, images)[output], values)
        assert np.array_equal(predict(rebuilt, images)[output], values)
        assert batch[output] == pytest.approx(values, abs=1e-3 if name == "ssr_net_age" else 1e-4)
        assert single[output] == pytest.approx(batch[output][:1], abs=1e-3 if name == "ssr_net_age" else 1e-4)


def test_ssr_net_combines_its_stages_as_in_the_paper():
    model = registry.build("ssr_net")
    names = [f"stage{number}_{part}" for number in (1, 2, 3) for part in ("shares", "shifts", "stretch")]
    rng = np.random.default_rng(2)
    for name in names:
        layer = model.get_layer(name)
        layer.set_weights([rng.normal(0, 1, weight.shape).astype(np.float32) for weight in layer.get_weights()])
    images = crops(model)
    parts = keras.Model(model.input, {name: model.get_layer(name).output for name in names})(images.astype(np.float32))
    total, width = np.zeros(len(images)), np.ones(len(images))
    for number in (1, 2, 3):
        shares, shifts, stretch = (np.asarray(parts[f"stage{number}_{p}"]) for p in ("shares", "shifts", "stretch"))
        width = width * 3 * (1 + stretch[:, 0])
        total += sum(shares[:, i] * (i + shifts[:, i]) for i in range(3)) / width
    assert np.abs(total).max() > 0
    assert predict(model, images)["age"][:, 0] == pytest.approx(101 * total, rel=1e-3, abs=1e-3)


def test_ssr_net_can_come_back_from_beyond_its_range():
    model = registry.build("ssr_net", output="gender")
    shares = model.get_layer("stage1_shares")
    shares.set_weights([np.zeros_like(shares.get_weights()[0]), np.full(3, 9.0, np.float32)])
    images = crops(model)
    assert predict(model, images)["gender"] == pytest.approx(np.tile([0.0, 1.0], (3, 1)), abs=1e-6)
    model.compile(keras.optimizers.SGD(0.01), loss=keras.losses.MeanAbsoluteError(), run_eagerly=True)
    model.train_on_batch(images.astype(np.float32), {"gender": np.tile([1.0, 0.0], (3, 1))})
    # The share of the first bin counts times zero, but for the shift: whether it moves hangs on the random start.
    assert (shares.get_weights()[1][1:] != 9.0).all()


def test_five_emotions_are_predicted_among_all_seven():
    model = registry.build("six_conv", input_size=16, pairs=((4, 3),), emotions=FIVE_EMOTIONS)
    assert model.get_layer("emotion").units == 5
    five = keras.Model(model.input, model.get_layer("emotion").output)
    images = crops(model).astype(np.float32)
    seven = predict(model, images)["emotion"]
    columns = [EMOTIONS.index(emotion) for emotion in FIVE_EMOTIONS]
    assert np.array_equal(seven[:, columns], np.asarray(five(images)))
    assert not seven[:, [1, 2]].any()


def test_mini_xception_reads_colour_as_grey():
    model = registry.build("mini_xception", channels=3, input_size=32, widths=(8, 8))
    grey_model = registry.build("mini_xception", input_size=32, widths=(8, 8))
    grey_model.set_weights(model.get_weights())
    colour = crops(model).astype(np.float32)
    grey = (colour @ np.float32([0.114, 0.587, 0.299]))[..., None]
    expected = np.asarray(grey_model(grey, training=False)["emotion"])
    assert predict(model, colour)["emotion"] == pytest.approx(expected, abs=1e-5)


def test_mobilenet_reads_rgb_and_learns_whole_without_imagenet_weights():
    model = registry.build("mobilenet_transfer", channels=3, input_size=32, imagenet_weights=no_weights)
    assert mobilenet_transfer.find_initialization(model) == mobilenet_transfer.RANDOM
    assert all(layer.trainable for layer in model.layers)
    red = np.zeros((1, 32, 32, 3), np.float32)
    red[..., 2] = 255
    first = keras.Model(model.input, model.get_layer("conv1").input)
    assert np.asarray(first(red))[0, 0, 0].tolist() == pytest.approx([1.0, -1.0, -1.0])


def test_our_own_networks_have_their_sizes():
    models = {name: registry.build(CONFIGS[name].architecture, **CONFIGS[name].architecture_arguments) for name in OWN}
    assert {name: model.count_params() for name, model in models.items()} == OWN
    with pytest.raises(ConfigError, match="emotion_residual"):
        registry.build("nonsense")


def test_detector_predicts_one_cell_per_stride():
    model = registry.build("face_detector")
    assert model.count_params() == 258_541
    outputs = model(np.zeros((1, 64, 96, 3), np.float32), training=False)
    assert {name: tuple(values.shape) for name, values in outputs.items()} == {
        f"{name}_{stride}": (1, 64 // stride, 96 // stride, channels)
        for name, channels in (("score", 1), ("geometry", 14))
        for stride in STRIDES
    }


def test_brightness_and_contrast_cancel_out():
    model = registry.build("emotion_residual", input_size=16, stages=((8, 2), (8, 2)))
    image = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 1)).astype(np.float32)
    plain, changed = (predict(model, images)["emotion"] for images in (image, image * 0.5 + 30))
    assert plain == pytest.approx(changed, abs=0.01)
