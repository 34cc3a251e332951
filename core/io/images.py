"""Decode image files, and convert colour order: the only module that does. Frames are (H, W, 3) uint8 BGR.

Frames look as in an image viewer: EXIF rotation is applied, transparency composited on white, 16 bits per channel are
reduced to the upper 8 that are used, and CMYK is converted with the embedded ICC profile. ICC profiles of RGB and grey
files are ignored, as in the training sets. Only the first frame of animations and multi-page files is decoded.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from core.errors import ImageTooLargeError, UnreadableImageError
from core.settings import ImageLimits

# About metadata that is not used; the command line would show them.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# Our own limits are checked before anything is decoded; Pillow's would warn about the JPEGs that are decoded smaller.
Image.MAX_IMAGE_PIXELS = ImageLimits().max_jpeg_pixels
# Thumbnails and depth maps inside HEIC files are never shown.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF")
EXTENSIONS = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff", "avif", "heic", "heif")
"""Usual file extensions of ``FORMATS``; files are recognised by their contents."""

_ADVICE = "Use a complete JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC file."
_EXIF_ORIENTATION = 0x0112
_UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda frame: frame[:, ::-1],
    3: lambda frame: frame[::-1, ::-1],
    4: lambda frame: frame[::-1],
    5: lambda frame: frame.transpose(1, 0, 2),
    6: lambda frame: np.rot90(frame, -1),
    7: lambda frame: frame[::-1, ::-1].transpose(1, 0, 2),
    8: lambda frame: np.rot90(frame),
}
"""EXIF orientation -> view of the upright frame."""
_TIFF_BITS_PER_SAMPLE = 258
_TIFF_PHOTOMETRIC = 262
_TIFF_WHITE_IS_ZERO = 0
_LARGEST_UNUSUAL_BITS = 14
_STRIP_PIXELS = 2**22
"""Pixels converted at a time, which bounds the memory of intermediate copies."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded file. ``frame`` is (H, W, 3) uint8 BGR; ``resolution_wh`` is the picture's own size, of which the frame
    of a very large JPEG has a half, a quarter or an eighth: ``Analysis.resized`` converts the boxes."""

    frame: NDArray[np.uint8]
    resolution_wh: tuple[int, int]

    @property
    def frame_scale_xy(self) -> tuple[float, float]:
        """Size of the frame relative to the picture."""
        height, width = self.frame.shape[:2]
        return width / self.resolution_wh[0], height / self.resolution_wh[1]


def decode(data: bytes, limits: ImageLimits = ImageLimits(), name: str = "") -> Picture:
    """Decode file contents. ``name`` is used in messages.

    Raises ``ImageTooLargeError`` from the header alone, before any pixel is decoded, and ``UnreadableImageError`` for
    everything that is not a complete image.
    """
    name = name or "The file"
    if not data:
        raise UnreadableImageError(f"{name} cannot be read as an image: it is empty. {_ADVICE}")
    _check_bytes(len(data), limits, name)
    try:
        return _decode(data, limits, name)
    except ImageTooLargeError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(
            f"{name} has more than the {_megapixels(limits.max_pixels)} allowed. {_scale_down(limits)}"
        ) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name} cannot be read as an image: its format is unknown. {_ADVICE}") from error
    except Exception as error:  # Malicious files make decoders raise almost anything.
        reason = str(error).strip(" .") or type(error).__name__
        raise UnreadableImageError(f"{name} cannot be read as an image: {reason}. {_ADVICE}") from error


def read_file(path: str | Path, limits: ImageLimits = ImageLimits()) -> Picture:
    """Decode a file on disk, as ``decode``. Raises ``UnreadableImageError`` also for missing files."""
    path = Path(path)
    try:
        _check_bytes(path.stat().st_size, limits, str(path))
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name.
        reason = getattr(error, "strerror", None) or error
        raise UnreadableImageError(f"{path} cannot be read as an image: {reason}.") from error
    return decode(data, limits, str(path))


def encode_png(frame: NDArray[np.uint8]) -> bytes:
    """Encode (H, W, 3) uint8 BGR, or (H, W) grey, as PNG file contents."""
    written, buffer = cv2.imencode(".png", frame)
    if not written:
        raise ValueError(f"frame of shape {frame.shape} and type {frame.dtype} cannot be written as PNG")
    return buffer.tobytes()


def encode_jpeg(frame: NDArray[np.uint8], quality: int = 92) -> bytes:
    """Encode (H, W, 3) uint8 BGR as JPEG file contents; ``quality`` is in [0, 100]."""
    written, buffer = cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not written:
        raise ValueError(f"frame of shape {frame.shape} and type {frame.dtype} cannot be written as JPEG")
    return buffer.tobytes()


def to_rgb(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert (H, W, 3) uint8 BGR to a new RGB array, for other libraries."""
    return _uint8(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))


def fit(frame: NDArray[np.uint8], max_side_px: int) -> NDArray[np.uint8]:
    """Return a copy of a (H, W, 3) frame, scaled down if its longer side exceeds ``max_side_px``."""
    height, width = frame.shape[:2]
    factor = max_side_px / max(height, width)
    if factor >= 1:
        return frame.copy()
    resolution_wh = (max(1, round(width * factor)), max(1, round(height * factor)))
    return _uint8(cv2.resize(frame, resolution_wh, interpolation=cv2.INTER_AREA))


def _check_bytes(count: int, limits: ImageLimits, name: str) -> None:
    if count > limits.max_bytes:
        raise ImageTooLargeError(
            f"{name} has {count / 2**20:.1f} MB; at most {limits.max_bytes / 2**20:g} MB are allowed. "
            "Scale it down or save it with more compression."
        )


def _decode(data: bytes, limits: ImageLimits, name: str) -> Picture:
    frame, (width, height), orientation = _load(data, limits, name)
    if orientation in _UPRIGHT:
        frame = np.ascontiguousarray(_UPRIGHT[orientation](frame))
    return Picture(frame, (height, width) if orientation >= 5 else (width, height))


def _load(data: bytes, limits: ImageLimits, name: str) -> tuple[NDArray[np.uint8], tuple[int, int], int]:
    """Return the frame as stored, the size of the picture as stored, and its EXIF orientation."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        stored_wh = image.size
        is_reduced = _reduce(image, limits, name)
        has_16_bits = ";16" in str(image.tile)
        image.load()
        frame = _to_bgr(image)
        if has_16_bits:
            frame = _restore_dark_colors(frame, data)
        # Pillow rotates TIFF files while loading.
        return frame, stored_wh if is_reduced else image.size, _orientation(image)


def _reduce(image: Image.Image, limits: ImageLimits, name: str) -> bool:
    """Make a very large JPEG decode at a half, a quarter or an eighth of its size. Returns whether it will.

    Raises ``ImageTooLargeError`` if even that would exceed the limits. A progressive file is decoded whole before it is
    scaled, so this would save no memory.
    """
    width, height = image.size
    pixels = width * height
    if pixels <= limits.max_pixels:
        return False
    if image.format in ("JPEG", "MPO") and pixels <= limits.max_jpeg_pixels and "progressive" not in image.info:
        for divisor in (2, 4, 8):
            reduced_wh = (width // divisor, height // divisor)
            if -(-width // divisor) * -(-height // divisor) <= limits.max_pixels and min(reduced_wh) > 0:
                image.draft(None, reduced_wh)
                return True
    raise ImageTooLargeError(f"{name} is {width} x {height} pixels, too many to decode. {_scale_down(limits)}")


def _scale_down(limits: ImageLimits) -> str:
    return (
        f"Scale it down to at most {_megapixels(limits.max_pixels)}, or save it as a JPEG that is not progressive: "
        f"these may have {_megapixels(limits.max_jpeg_pixels)}."
    )


def _megapixels(count: int) -> str:
    return f"{count / 1e6:g} megapixels"


def _to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in ("I", "F"):
        raise ValueError("32 bits per channel have no defined white; save it with 8 or 16")
    if image.mode.startswith("I;16"):
        return _uint8(cv2.cvtColor(_upper_bits(image), cv2.COLOR_GRAY2BGR))
    width, height = image.size
    to_rgb = _rgb_converter(image)
    frame = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = to_rgb(image.crop((0, top, width, min(top + rows, height))))
        cv2.cvtColor(np.asarray(strip), cv2.COLOR_RGB2BGR, dst=frame[top : top + rows])
    return frame


def _rgb_converter(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """Return the function that converts a part of ``image`` to RGB."""
    if image.mode == "CMYK":
        return _cmyk_converter(image.info.get("icc_profile"))
    if image.has_transparency_data and not _is_padding(image):
        return _on_white
    return lambda strip: strip.convert("RGB")


def _is_padding(image: Image.Image) -> bool:
    """Return whether the fourth byte per pixel of a bitmap is padding, not alpha: many programs write 0."""
    return image.format == "BMP" and image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) if it is missing or invalid. Pillow rotates TIFF files while loading and
    then reports 1."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # The parser raises many kinds of errors on invalid tags.
        return 1


def _upper_bits(image: Image.Image) -> NDArray[np.uint8]:
    """Reduce grey with up to 16 bits to 8, (H, W) uint8."""
    tags = getattr(image, "tag_v2", {})
    bits = int(tags.get(_TIFF_BITS_PER_SAMPLE, (16,))[0])
    grey = np.asarray(image).astype(np.uint16)
    if tags.get(_TIFF_PHOTOMETRIC) == _TIFF_WHITE_IS_ZERO:
        return 255 - _uint8(grey >> (bits - 8))
    return _uint8(grey >> (_used_bits(grey, bits) - 8))


def _used_bits(deep: NDArray[np.uint16], bits: int = 16) -> int:
    """Return how many of ``bits`` the values use, at least 8. Cameras store 10, 12 or 14 bits in 16, and no tag says
    so: the picture would be almost black."""
    return min(bits, max(8, int(deep.max()).bit_length()))


def _restore_dark_colors(frame: NDArray[np.uint8], data: bytes) -> NDArray[np.uint8]:
    """Return ``frame``, or its 8 bits that are used, if it is almost black because only 10, 12 or 14 of 16 are used.

    Pillow reads the upper byte of 16-bit colour only, OpenCV all bits.
    """
    if frame.max() >= 1 << (_LARGEST_UNUSUAL_BITS - 8):
        return frame
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    deep = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if deep is None or deep.dtype != np.uint16 or deep.shape != frame.shape:
        return frame
    values = np.asarray(deep, np.uint16)
    return _uint8(values >> (_used_bits(values) - 8))


def _cmyk_converter(profile: bytes | None) -> Callable[[Image.Image], Image.Image]:
    """Return the conversion by the embedded ICC profile, or else to 255 - ink, the inverse of the plain RGB -> CMYK."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "CMYK", "RGB")
        except (ImageCms.PyCMSError, OSError):
            pass
        else:
            return transform.apply
    return lambda strip: strip.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")


def _uint8(array: object) -> NDArray[np.uint8]:
    return np.asarray(array, dtype=np.uint8)
