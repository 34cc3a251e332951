"""Pictures of nothing: noise, gradients, stripes, round shiny things, letters, stars."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def texture(size_px: int, rng: np.random.Generator) -> Image:
    """A ``size_px`` square with several of them over one another."""
    image = _clouds(size_px, rng)
    for _ in range(int(rng.integers(0, 5))):
        _LAYERS[rng.integers(len(_LAYERS))](image, rng)
    return image


def _clouds(size_px: int, rng: np.random.Generator) -> Image:
    total = np.zeros((size_px, size_px, 3), np.float32)
    strength = 1.0
    for cells in (2, 5, 11, 29, 71):
        noise = rng.normal(0, 1, (cells, cells, 3 if rng.random() < 0.5 else 1)).astype(np.float32)
        layer = cv2.resize(noise, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
        total += strength * (layer if layer.ndim == 3 else layer[..., None])
        strength *= rng.uniform(0.3, 0.9)
    return np.clip(rng.uniform(40, 210, 3) + rng.uniform(8, 50) * total, 0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    b, g, r = rng.integers(0, 256, 3).tolist()
    return b, g, r


def _place(image: Image, rng: np.random.Generator) -> tuple[int, int]:
    x, y = rng.integers(0, image.shape[0], 2).tolist()
    return x, y


def _shapes(image: Image, rng: np.random.Generator) -> None:
    side = image.shape[0]
    for _ in range(int(rng.integers(1, 12))):
        thickness = -1 if rng.random() < 0.6 else int(rng.integers(1, 6))
        if rng.random() < 0.5:
            axes = tuple(rng.integers(3, side // 3, 2).tolist())
            cv2.ellipse(image, _place(image, rng), axes, float(rng.uniform(0, 180)), 0, 360, _colour(rng), thickness)
        else:
            cv2.rectangle(image, _place(image, rng), _place(image, rng), _colour(rng), thickness)


def _stripes(image: Image, rng: np.random.Generator) -> None:
    side = image.shape[0]
    y, x = np.mgrid[:side, :side].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 60)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    if rng.random() < 0.4:
        wave *= np.sin((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / period)
    wave = np.sign(wave) if rng.random() < 0.5 else wave
    image[...] = np.clip(image + rng.uniform(10, 70) * wave[..., None], 0, 255)


def _balls(image: Image, rng: np.random.Generator) -> None:
    side = image.shape[0]
    y, x = np.mgrid[:side, :side].astype(np.float32)
    for _ in range(int(rng.integers(1, 4))):
        center, radius = _place(image, rng), rng.uniform(0.05, 0.4) * side
        dx, dy = (x - center[0]) / radius, (y - center[1]) / (radius * rng.uniform(0.7, 1.4))
        inside = dx**2 + dy**2 < 1
        light = rng.uniform(-0.6, 0.6, 2)
        shade = np.clip(1.1 - ((dx - light[0]) ** 2 + (dy - light[1]) ** 2) * rng.uniform(0.4, 0.9), 0.05, 1.6)
        ball = np.clip(np.array(_colour(rng)) * shade[..., None], 0, 255)
        image[inside] = ball[inside].astype(np.uint8)
        if rng.random() < 0.5:
            spot = (int(center[0] + light[0] * radius), int(center[1] + light[1] * radius))
            cv2.circle(image, spot, max(1, int(radius * 0.15)), (255, 255, 255), -1, cv2.LINE_AA)


def _discs(image: Image, rng: np.random.Generator) -> None:
    """Coins, cells, pebbles: many of one size, each with something on it."""
    side = image.shape[0]
    radius, ground, rim = rng.uniform(0.015, 0.12) * side, np.array(_colour(rng)), _colour(rng)
    for _ in range(int(rng.integers(5, 70))):
        center, own = _place(image, rng), max(2, round(radius * rng.uniform(0.7, 1.3)))
        tone = np.clip(ground + rng.integers(-40, 40), 0, 255)
        axes = (own, max(2, round(own * rng.uniform(0.75, 1.25))))
        cv2.ellipse(image, center, axes, float(rng.uniform(0, 180)), 0, 360, tuple(tone.tolist()), -1, cv2.LINE_AA)
        if rng.random() < 0.6:
            cv2.circle(image, center, own, rim, max(1, own // 8), cv2.LINE_AA)
        for _ in range(int(rng.integers(0, 4))):
            spot = tuple((np.array(center) + rng.uniform(-0.5, 0.5, 2) * own).astype(int).tolist())
            inner = (max(1, int(own * rng.uniform(0.1, 0.5))), max(1, int(own * rng.uniform(0.1, 0.5))))
            shade = tuple(np.clip(tone + rng.integers(-90, 90), 0, 255).tolist())
            cv2.ellipse(image, spot, inner, float(rng.uniform(0, 180)), 0, 360, shade, -1, cv2.LINE_AA)


def _page(image: Image, rng: np.random.Generator) -> None:
    """Lines of print."""
    size, ink = float(rng.uniform(0.3, 0.9)), _colour(rng)
    for y in range(10, image.shape[0], max(8, int(26 * size))):
        text = "".join(chr(rng.integers(97, 123)) if rng.random() < 0.83 else " " for _ in range(60))
        cv2.putText(image, text, (int(rng.integers(-20, 20)), y), int(rng.integers(0, 8)), size, ink, 1, cv2.LINE_AA)


def _glints(image: Image, rng: np.random.Generator) -> None:
    """A sky full of stars, or light on water."""
    if rng.random() < 0.7:
        image[...] = image // int(rng.integers(3, 20))
    for _ in range(int(rng.integers(20, 250))):
        radius, tone = int(rng.exponential(1.8)), tuple(rng.integers(90, 256, 3).tolist())
        axes = (radius + 1, max(1, int(radius * rng.uniform(0.4, 1)) + 1))
        cv2.ellipse(image, _place(image, rng), axes, float(rng.uniform(0, 180)), 0, 360, tone, -1, cv2.LINE_AA)
    if rng.random() < 0.7:
        image[...] = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 2.0))


def _letters(image: Image, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 8))):
        text = "".join(chr(rng.integers(33, 127)) for _ in range(int(rng.integers(1, 12))))
        size, width = float(rng.uniform(0.4, 3.0)), int(rng.integers(1, 5))
        cv2.putText(image, text, _place(image, rng), int(rng.integers(0, 8)), size, _colour(rng), width, cv2.LINE_AA)


def _stars(image: Image, rng: np.random.Generator) -> None:
    if rng.random() < 0.5:
        image[...] = image // int(rng.integers(3, 12))
    side = image.shape[0]
    y, x = np.mgrid[:side, :side].astype(np.float32)
    for _ in range(int(rng.integers(1, 6))):
        (cx, cy), angle = _place(image, rng), rng.uniform(0, np.pi)
        a, b = rng.uniform(0.01, 0.25, 2) * side
        along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        across = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        glow = np.exp(-np.sqrt((along / a) ** 2 + (across / b) ** 2))
        image[...] = np.clip(image + glow[..., None] * np.array(_colour(rng)), 0, 255)


_LAYERS = (_shapes, _stripes, _balls, _letters, _stars, _discs, _discs, _page, _glints)
