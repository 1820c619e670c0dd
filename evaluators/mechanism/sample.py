"""Images to look at a network with: validation images, prepared as a training prepares them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from evaluators.datasets import data, scenes, synthetic
from evaluators.datasets.images import scaled
from evaluators.datasets.sources import opened
from search_spaces.common.errors import NegativeAnswer
from search_spaces.nextvit.preparation import CROP, INTERPOLATION, MEAN, STD

FEWEST = 2  # images that have a spread
UNSEEN = 1  # seed of images on which no training is drawn


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Images (N, 3, H, W), normalised; the identity of their data set, and how many images could not be read."""

    name: str
    identity: str
    images: Tensor
    unreadable: int = 0


def sample(name: str, count: int, resolution: int, say: Callable[[str], None] = lambda message: None) -> Sample:
    """The first `count` validation images of a data set, which are a fair sample of it; or fewer, if it has no more.

    Scenes and images of the synthetic set are drawn, and are not those of any training. `say` is told of a download.

    Raises:
        Unavailable: there is no such data set.
        UsageError: it cannot be trained on; the message says why.
        NegativeAnswer: fewer than two images can be read.
    """
    from timm.data.transforms_factory import create_transform

    prepare: Any = create_transform(
        resolution, is_training=False, mean=MEAN, std=STD, crop_pct=CROP, interpolation=INTERPOLATION
    )
    images, unreadable = [], 0
    for image in _pictures(name, count, resolution, say):
        if isinstance(image, str):
            unreadable += 1
        else:
            images.append(prepare(image))
        if len(images) == count:
            break
    if len(images) < FEWEST:
        raise NegativeAnswer(
            f"'{name}' has {len(images)} images that can be read, and {unreadable} that cannot", "name other --data"
        )
    return Sample(name=name, identity=data.identity(name), images=torch.stack(images), unreadable=unreadable)


def _pictures(name: str, count: int, resolution: int, say: Callable[[str], None]) -> Iterator[Image.Image | str]:
    """Images before their preparation; of one that cannot be read, the reason."""
    if name == data.SCENES:
        pixels, _ = scenes.draw(count, int(resolution / CROP), UNSEEN)  # cropped, and not scaled
        yield from (Image.fromarray(image) for image in pixels.transpose(0, 2, 3, 1))
    elif name == "synthetic":
        pixels, _ = synthetic.draw(count, UNSEEN)
        yield from (Image.fromarray(scaled(Image.fromarray(image), resolution)) for image in pixels)
    else:
        valid = opened(name, resolution, say=say).valid
        yield from (valid.read(number) for number in range(len(valid)))
