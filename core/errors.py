"""All errors that Facet raises on purpose.

FacetError
├── ImageError              an input is not a usable image
│   ├── UnreadableImageError    the bytes cannot be read as an image
│   └── ImageTooLargeError      more bytes or pixels than allowed
├── VideoError              a file is not a usable video
│   ├── UnreadableVideoError    it cannot be read as a video
│   └── VideoTooLargeError      it is larger or longer than allowed
├── ArtifactError           an installed model cannot be used
│   ├── ArtifactMissingError    a file of the artifact is missing
│   └── ArtifactCorruptError    a file is truncated, altered or malformed
├── DetectorError           a detector cannot be created or run
├── DatasetError            a data folder or file is not what was expected
└── ConfigError             a name or value that the user gave is not allowed

Messages say what is wrong, what is allowed, what came, and what to do. Pages show them with ``st.error``, command lines
print one line on stderr and exit with status 2.
"""


class FacetError(Exception):
    """Base of all errors raised on purpose."""


class ImageError(FacetError):
    """An input is not a usable image."""


class UnreadableImageError(ImageError):
    """The bytes cannot be read as an image."""


class ImageTooLargeError(ImageError):
    """More bytes or pixels than allowed; raised before decoding."""


class VideoError(FacetError):
    """A file is not a usable video."""


class UnreadableVideoError(VideoError):
    """A file cannot be read as a video."""


class VideoTooLargeError(VideoError):
    """A video is larger or longer than allowed."""


class ArtifactError(FacetError):
    """An installed model cannot be used."""


class ArtifactMissingError(ArtifactError):
    """A file of the artifact is missing."""


class ArtifactCorruptError(ArtifactError):
    """A file of the artifact is truncated, altered or malformed."""


class DetectorError(FacetError):
    """A detector cannot be created or run."""


class DatasetError(FacetError):
    """A data folder or file is not what was expected."""


class ConfigError(FacetError):
    """A name or value that the user gave is not allowed."""
