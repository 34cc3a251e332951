"""MobileNet (Howard et al. 2017) as Keras ships it, cut after its global pooling, with a new softmax layer.

The first layers keep their ImageNet weights, the last ``trainable_layers`` are trained. The report says 23 for emotion
and 30 for gender; its 2,401,799 trainable parameters for seven classes are those of 30, with the new layer. Where
ImageNet's weights cannot be downloaded, the start is random and all layers are trained, see ``find_initialization``.
Input scaled to [-1, 1], RGB as on ImageNet; a grey crop fills all three channels.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
from keras import layers, ops

from core.types import EMOTIONS
from models.architectures.heads import class_heads

IMAGENET, RANDOM = "ImageNet weights", "random weights"
_FILE = "mobilenet_1_0_224_tf_no_top.h5"
_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/{_FILE}"


def download_imagenet_weights() -> Path | None:
    """Fetch Keras' weights file from its cache or the network; ``None`` where neither has it."""
    try:
        return Path(keras.utils.get_file(_FILE, _URL, cache_subdir="models"))
    # Keras turns every network error into a plain Exception.
    except Exception as error:
        print(f"MobileNet starts from random weights, ImageNet's cannot be downloaded: {error}", file=sys.stderr)
        return None


def build(
    output: str = "emotion",
    input_size: int = 96,
    channels: int = 1,
    trainable_layers: int = 30,
    emotions: Sequence[str] = EMOTIONS,
    imagenet_weights: Callable[[], Path | None] = download_imagenet_weights,
) -> keras.Model:
    """(B, S, S, C) crop, grey or BGR, on the 0-255 scale -> ``emotion`` (B, 7) or ``gender`` (B, 2) probabilities.

    ``imagenet_weights`` gives a file in Keras' format of MobileNet without its last layers, or ``None``.
    """
    image = keras.Input((input_size, input_size, channels), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="to_plus_minus_one")(image)
    x = layers.Concatenate(name="three_channels")([x] * 3) if channels == 1 else ops.flip(x, axis=-1)
    base = keras.applications.MobileNet(input_tensor=x, include_top=False, weights=None, pooling="avg")
    model = keras.Model(image, class_heads(base.output, (output,), emotions), name="mobilenet_transfer")
    weights = imagenet_weights()
    if weights is not None:
        base.load_weights(weights)
        for layer in _backbone_and_head(model)[:-trainable_layers]:
            layer.trainable = False
    return model


def find_initialization(model: keras.Model) -> str:
    """Tell what a network from ``build`` started from: only ImageNet's weights come with frozen layers."""
    return RANDOM if all(layer.trainable for layer in model.layers) else IMAGENET


def _backbone_and_head(model: keras.Model) -> list[layers.Layer]:
    """Layers in order up to the new softmax; layers that only rearrange its outputs do not count."""
    names = [layer.name for layer in model.layers]
    last = next(number for number, name in enumerate(names) if name in ("emotion", "gender"))
    return list(model.layers[: last + 1])
