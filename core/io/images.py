"""Decode image files, and convert colour order: the only module that does. Frames are (H, W, 3) uint8 BGR.

Frames look as in an image viewer: EXIF rotation is applied, transparency composited on white, 16 bits per channel are
reduced to the upper 8, and CMYK is converted with the embedded ICC profile. ICC profiles of RGB and grey files are
ignored, as in the training sets. Only the first frame of animations and multi-page files is decoded.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from core.errors import ImageTooLargeError, UnreadableImageError
from core.settings import ImageLimits

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
EXTENSIONS = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff")
"""Usual file extensions of ``FORMATS``; files are recognised by their contents."""

_ADVICE = "Use a complete JPEG, PNG, WebP, BMP, GIF or TIFF file."
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TIFF_BITS_PER_SAMPLE = 258
_TIFF_PHOTOMETRIC = 262
_TIFF_WHITE_IS_ZERO = 0


def decode(data: bytes, limits: ImageLimits = ImageLimits(), name: str = "") -> NDArray[np.uint8]:
    """Decode file contents to (H, W, 3) uint8 BGR. ``name`` is used in messages.

    Raises ``ImageTooLargeError`` from the header alone, before any pixel is decoded, and ``UnreadableImageError`` for
    everything that is not a complete image.
    """
    name = name or "The file"
    if not data:
        raise UnreadableImageError(f"{name} cannot be read as an image: it is empty. {_ADVICE}")
    _check_bytes(len(data), limits, name)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_pixels(image.size, limits, name)
            return _to_frame(image)
    except ImageTooLargeError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(
            f"{name} has more pixels than the {_megapixels(limits.max_pixels)} allowed. Scale it down first."
        ) from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name} cannot be read as an image: its format is unknown. {_ADVICE}") from error
    except Exception as error:  # Malicious files make decoders raise almost anything.
        reason = str(error).strip(" .") or type(error).__name__
        raise UnreadableImageError(f"{name} cannot be read as an image: {reason}. {_ADVICE}") from error


def read_file(path: str | Path, limits: ImageLimits = ImageLimits()) -> NDArray[np.uint8]:
    """Decode a file on disk, as ``decode``. Raises ``UnreadableImageError`` also for missing files."""
    path = Path(path)
    try:
        _check_bytes(path.stat().st_size, limits, str(path))
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"{path} cannot be read as an image: {error.strerror}.") from error
    return decode(data, limits, str(path))


def encode_png(frame: NDArray[np.uint8]) -> bytes:
    """Encode (H, W, 3) uint8 BGR, or (H, W) grey, as PNG file contents."""
    written, buffer = cv2.imencode(".png", frame)
    if not written:
        raise ValueError(f"frame of shape {frame.shape} and type {frame.dtype} cannot be written as PNG")
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


def _check_pixels(size: tuple[int, int], limits: ImageLimits, name: str) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise ImageTooLargeError(
            f"{name} is {width} x {height} pixels; at most {_megapixels(limits.max_pixels)} are allowed. "
            "Scale it down first."
        )


def _megapixels(count: int) -> str:
    return f"{count / 1e6:g} megapixels"


def _to_frame(image: Image.Image) -> NDArray[np.uint8]:
    image.load()
    orientation = _orientation(image)
    if image.mode.startswith("I;16"):
        upright: Image.Image = Image.fromarray(_upper_bits(image))
    elif image.mode in ("I", "F"):
        raise ValueError("32 bits per channel have no defined white; save it with 8 or 16")
    elif image.mode == "CMYK":
        upright = _cmyk_to_rgb(image)
    elif image.has_transparency_data and not _is_padding(image):
        upright = _on_white(image)
    else:
        upright = image
    if orientation in _UPRIGHT:
        upright = upright.transpose(_UPRIGHT[orientation])
    return _uint8(cv2.cvtColor(np.asarray(upright.convert("RGB")), cv2.COLOR_RGB2BGR))


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
    """Reduce grey with up to 16 bits to its upper byte, (H, W) uint8, as Pillow does for 16-bit colour."""
    tags = getattr(image, "tag_v2", {})
    bits = int(tags.get(_TIFF_BITS_PER_SAMPLE, (16,))[0])
    grey = _uint8(np.asarray(image).astype(np.uint16) >> (bits - 8))
    return 255 - grey if tags.get(_TIFF_PHOTOMETRIC) == _TIFF_WHITE_IS_ZERO else grey


def _cmyk_to_rgb(image: Image.Image) -> Image.Image:
    """Convert with the embedded ICC profile, or else as 255 - ink, the inverse of the plain RGB -> CMYK."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba)


def _uint8(array: object) -> NDArray[np.uint8]:
    return np.asarray(array, dtype=np.uint8)
