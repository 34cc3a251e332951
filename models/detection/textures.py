"""Images without faces: noise, gradients, stripes, round shiny things, letters, stars."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Rng = np.random.Generator


def draw_texture(size_px: int, rng: Rng) -> Image:
    """Draw up to four layers over clouds, (size_px, size_px, 3) uint8."""
    image = _draw_clouds(size_px, rng)
    for _ in range(int(rng.integers(0, 5))):
        _LAYERS[rng.integers(len(_LAYERS))](image, rng)
    return image


def _draw_clouds(size_px: int, rng: Rng) -> Image:
    total, amplitude = np.zeros((size_px, size_px, 3), np.float32), 1.0
    for cells in (2, 5, 11, 29, 71):
        noise = rng.normal(0, 1, (cells, cells, 3 if rng.random() < 0.5 else 1)).astype(np.float32)
        layer = cv2.resize(noise, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
        total += amplitude * layer.reshape(size_px, size_px, -1)
        amplitude *= rng.uniform(0.3, 0.9)
    return np.clip(rng.uniform(40, 210, 3) + rng.uniform(8, 50) * total, 0, 255).astype(np.uint8)


def _random_colour(rng: Rng) -> list[int]:
    colour: list[int] = rng.integers(0, 256, 3).tolist()
    return colour


def _random_point(image: Image, rng: Rng) -> list[int]:
    point: list[int] = rng.integers(0, image.shape[0], 2).tolist()
    return point


def _random_text(longest: int, rng: Rng) -> str:
    return "".join(map(chr, rng.integers(33, 127, rng.integers(1, longest))))


def _grid(image: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    return x, y


def _draw_ellipse(
    image: Image, center: list[int], axes: list[int], colour: list[int], rng: Rng, width: int = -1
) -> None:
    cv2.ellipse(image, center, axes, float(rng.uniform(0, 180)), 0, 360, colour, width, cv2.LINE_AA)


def _draw_shapes(image: Image, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 12))):
        width, colour = -1 if rng.random() < 0.6 else int(rng.integers(1, 6)), _random_colour(rng)
        if rng.random() < 0.5:
            axes = rng.integers(3, image.shape[0] // 3, 2).tolist()
            _draw_ellipse(image, _random_point(image, rng), axes, colour, rng, width)
        else:
            cv2.rectangle(image, _random_point(image, rng), _random_point(image, rng), colour, width)


def _draw_stripes(image: Image, rng: Rng) -> None:
    """Waves, hard stripes or a checkerboard."""
    (x, y), angle, period = _grid(image), rng.uniform(0, np.pi), rng.uniform(4, 60)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    if rng.random() < 0.4:
        wave *= np.sin((y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / period)
    wave = np.sign(wave) if rng.random() < 0.5 else wave
    image[...] = np.clip(image + rng.uniform(10, 70) * wave[..., None], 0, 255)


def _draw_balls(image: Image, rng: Rng) -> None:
    x, y = _grid(image)
    for _ in range(int(rng.integers(1, 4))):
        center, radius = _random_point(image, rng), rng.uniform(0.05, 0.4) * image.shape[0]
        dx, dy = (x - center[0]) / radius, (y - center[1]) / (radius * rng.uniform(0.7, 1.4))
        inside, light = dx**2 + dy**2 < 1, rng.uniform(-0.6, 0.6, 2)
        shade = np.clip(1.1 - ((dx - light[0]) ** 2 + (dy - light[1]) ** 2) * rng.uniform(0.4, 0.9), 0.05, 1.6)
        image[inside] = np.clip(_random_colour(rng) * shade[..., None], 0, 255)[inside].astype(np.uint8)
        if rng.random() < 0.5:
            spot = (np.array(center) + light * radius).astype(int).tolist()
            cv2.circle(image, spot, max(1, int(radius * 0.15)), (255, 255, 255), -1, cv2.LINE_AA)


def _draw_discs(image: Image, rng: Rng) -> None:
    """Coins, cells, pebbles: many of one size, with spots."""
    radius, ground, rim = rng.uniform(0.015, 0.12) * image.shape[0], np.array(_random_colour(rng)), _random_colour(rng)
    for _ in range(int(rng.integers(5, 70))):
        center, own = _random_point(image, rng), max(2, round(radius * rng.uniform(0.7, 1.3)))
        colour = np.clip(ground + rng.integers(-40, 40), 0, 255)
        _draw_ellipse(image, center, [own, max(2, round(own * rng.uniform(0.75, 1.25)))], colour.tolist(), rng)
        if rng.random() < 0.6:
            cv2.circle(image, center, own, rim, max(1, own // 8), cv2.LINE_AA)
        for _ in range(int(rng.integers(0, 4))):
            spot = (np.array(center) + rng.uniform(-0.5, 0.5, 2) * own).astype(int).tolist()
            axes = np.maximum(1, own * rng.uniform(0.1, 0.5, 2)).astype(int).tolist()
            _draw_ellipse(image, spot, axes, np.clip(colour + rng.integers(-90, 90), 0, 255).tolist(), rng)


def _draw_print(image: Image, rng: Rng) -> None:
    """Lines of text."""
    size, ink, font = float(rng.uniform(0.3, 0.9)), _random_colour(rng), int(rng.integers(0, 8))
    for y in range(10, image.shape[0], max(8, int(26 * size))):
        text = " ".join(_random_text(9, rng) for _ in range(12))
        cv2.putText(image, text, (int(rng.integers(-20, 20)), y), font, size, ink, 1, cv2.LINE_AA)


def _draw_letters(image: Image, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 8))):
        size, width, font = float(rng.uniform(0.4, 3.0)), int(rng.integers(1, 5)), int(rng.integers(0, 8))
        text, place = _random_text(12, rng), _random_point(image, rng)
        cv2.putText(image, text, place, font, size, _random_colour(rng), width, cv2.LINE_AA)


def _draw_glints(image: Image, rng: Rng) -> None:
    """A sky full of stars, or light on water."""
    if rng.random() < 0.7:
        image[...] = image // int(rng.integers(3, 20))
    for _ in range(int(rng.integers(20, 250))):
        radius = int(rng.exponential(1.8)) + 1
        axes = [radius, max(1, int(radius * rng.uniform(0.4, 1)))]
        _draw_ellipse(image, _random_point(image, rng), axes, rng.integers(90, 256, 3).tolist(), rng)
    if rng.random() < 0.7:
        image[...] = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 2.0))


def _draw_galaxies(image: Image, rng: Rng) -> None:
    if rng.random() < 0.5:
        image[...] = image // int(rng.integers(3, 12))
    x, y = _grid(image)
    for _ in range(int(rng.integers(1, 6))):
        (cx, cy), angle = _random_point(image, rng), rng.uniform(0, np.pi)
        a, b = rng.uniform(0.01, 0.25, 2) * image.shape[0]
        along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        across = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        glow = np.exp(-np.hypot(along / a, across / b))
        image[...] = np.clip(image + glow[..., None] * _random_colour(rng), 0, 255)


_LAYERS = (
    _draw_shapes,
    _draw_stripes,
    _draw_balls,
    _draw_letters,
    _draw_galaxies,
    _draw_discs,
    _draw_discs,
    _draw_print,
    _draw_glints,
)
