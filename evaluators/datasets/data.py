"""The names of data sets: a folder of classes, a Hugging Face set, scikit-learn's digits, or a procedural set."""

from pathlib import Path

from evaluators.datasets import hugging_face
from evaluators.datasets.folder import listed
from search_spaces.common.errors import Unavailable
from search_spaces.common.texts import is_folder

HUGGING_FACE = "hf:"
BUILT_IN = ("digits", "synthetic")
SCENES = "scenes"  # has a class for every pixel, and none for the image
SCENES_IDENTITY = "scenes 1"  # another number when the same seed draws other scenes


def is_built_in(name: str) -> bool:
    """Whether it is a set that we draw, and no folder that may have the same name."""
    return name in (*BUILT_IN, SCENES)


def missing(name: str) -> Unavailable | None:
    """Why a data set with a class for every image does not exist, without reading it; None if it does, as far as known.

    Raises:
        UsageError: it is not a possible name.
    """
    if name == SCENES:
        return Unavailable(
            f"'{SCENES}' have a class for every pixel, and none for the image",
            "leave --data out: --proxy segment reads them",
        )
    if name in BUILT_IN or is_folder(name):
        return None
    if name.startswith(HUGGING_FACE):
        hugging_face.check_name(name.removeprefix(HUGGING_FACE))
        try:
            import datasets  # noqa: F401
        except ImportError:
            return Unavailable("Hugging Face's sets need the package datasets", "pip install datasets")
        return None
    return Unavailable(
        f"there is no data '{name}'",
        f"name a folder with a sub-folder of images for each class, {HUGGING_FACE}OWNER/NAME, or {', '.join(BUILT_IN)}",
    )


def identity(name: str) -> str:
    """A text that is equal for equal data: only numbers with equal identities are comparable. Reads no image.

    Raises:
        UsageError: it is a folder that cannot be trained on.
    """
    if name == SCENES:
        return SCENES_IDENTITY
    if name in BUILT_IN or not is_folder(name):
        return name
    return listed(Path(name)).identity
