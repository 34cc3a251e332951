"""SSR-Net of Yang, Huang, Lin, Hsiu & Chuang, "SSR-Net: A Compact Soft Stagewise Regression Network for Age
Estimation" (IJCAI 2018; github.com/shamangary/SSR-Net): two streams, three stages from coarse to fine.

Stage k gives K_k shares p, shifts n of its K_k bins and a stretch d of their width:

    output = V * sum over k of [ sum over i of p_i (i + n_i) ] / product over j <= k of K_j (1 + d_j)

with V = 101 years, or 1 for gender. 40,915 parameters in both forms at 64x64x3. Input scaled to [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, ops

from core.types import MAX_AGE

Stage = tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]


def build(output: str = "age", input_size: int = 64, channels: int = 3, bins: Sequence[int] = (3, 3, 3)) -> keras.Model:
    """(B, 64, 64, 3) BGR crop on the 0-255 scale -> ``age`` (B, 1) years, or ``gender`` (B, 2) probabilities.

    The authors' gender form is a regression to 0 or 1; here 1 is ``GENDERS[1]``, and the output is clipped.
    """
    image = keras.Input((input_size, input_size, channels), name="image")
    x = layers.Rescaling(1 / 255, dtype="float32", name="to_unit_range")(image)
    averaging = _stream(x, 32, "relu", layers.AveragePooling2D)
    picking = _stream(x, 16, "tanh", layers.MaxPooling2D)
    # The coarsest stage reads the deepest maps, the finest the first.
    stages = [
        _stage(averaging[depth], picking[depth], pool, count, f"stage{number}")
        for number, (depth, pool, count) in enumerate(zip((3, 1, 0), (1, 4, 8), bins, strict=True), start=1)
    ]
    share = _combined(stages, bins)
    if output == "age":
        outputs = {"age": layers.Rescaling(MAX_AGE + 1.0, dtype="float32", name="age")(share)}
    else:
        outputs = {"gender": _two_classes(share)}
    return keras.Model(image, outputs, name=f"ssr_net_{output}")


def _stream(x: keras.KerasTensor, filters: int, activation: str, pool: type[layers.Layer]) -> list[keras.KerasTensor]:
    """The maps after each pool and after the last, unpooled convolution."""
    maps = []
    for depth in range(1, 5):
        x = layers.Conv2D(filters, 3, name=f"{activation}{depth}_conv")(x)
        x = layers.BatchNormalization(name=f"{activation}{depth}_bn")(x)
        x = layers.Activation(activation, name=f"{activation}{depth}")(x)
        if depth < 4:
            x = pool(2, name=f"{activation}{depth}_pool")(x)
        maps.append(x)
    return maps


def _stage(averaging: keras.KerasTensor, picking: keras.KerasTensor, pool: int, bins: int, name: str) -> Stage:
    """Shares (B, K), shifts (B, K) and stretch (B, 1) of one stage."""
    flat, mixed = [], []
    for stream, x, pooling in (("relu", averaging, layers.AveragePooling2D), ("tanh", picking, layers.MaxPooling2D)):
        y = layers.Conv2D(10, 1, activation="relu", name=f"{name}_{stream}_conv")(x)
        if pool > 1:
            y = pooling(pool, name=f"{name}_{stream}_pool")(y)
        flat.append(layers.Flatten(name=f"{name}_{stream}_flat")(y))
        y = layers.Dropout(0.2, name=f"{name}_{stream}_dropout")(flat[-1])
        mixed.append(layers.Dense(bins, activation="relu", name=f"{name}_{stream}_dense")(y))
    stretch = layers.Dense(1, activation="tanh", dtype="float32", name=f"{name}_stretch")(
        layers.Multiply(name=f"{name}_fused")(flat)
    )
    x = layers.Dense(2 * bins, activation="relu", name=f"{name}_dense")(layers.Multiply(name=f"{name}_mixed")(mixed))
    shares = layers.Dense(bins, activation="relu", dtype="float32", name=f"{name}_shares")(x)
    shifts = layers.Dense(bins, activation="tanh", dtype="float32", name=f"{name}_shifts")(x)
    return shares, shifts, stretch


def _combined(stages: Sequence[Stage], bins: Sequence[int]) -> keras.KerasTensor:
    """The formula above without V, (B, 1)."""
    terms, width = [], None
    for number, ((shares, shifts, stretch), count) in enumerate(zip(stages, bins, strict=True), start=1):
        places = layers.Rescaling(1.0, list(range(count)), dtype="float32", name=f"stage{number}_places")(shifts)
        expected = ops.sum(shares * places, axis=-1, keepdims=True)
        bins_wide = layers.Rescaling(count, count, dtype="float32", name=f"stage{number}_width")(stretch)
        width = bins_wide if width is None else width * bins_wide
        terms.append(expected / width)
    return layers.Add(dtype="float32", name="stages")(terms)


def _two_classes(share: keras.KerasTensor) -> keras.KerasTensor:
    # Clipped in the forward pass only: without a gradient, a face far beyond the range would never come back.
    inside = share + ops.stop_gradient(ops.clip(share, 0.0, 1.0) - share)
    return layers.Concatenate(dtype="float32", name="gender")([1.0 - inside, inside])
