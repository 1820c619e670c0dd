"""A network to export: its weights, and everything that the exported files say about it."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces import Architecture
from search_spaces.nextvit.network import NextViT
from search_spaces.nextvit.preparation import CROP, INTERPOLATION, MEAN, STD

Array = NDArray[np.float32]  # images (B, 3, H, W) or logits (B, classes)


@dataclass(frozen=True, kw_only=True)
class Deliverable:
    """A network to export. `network` is in evaluation mode, on the CPU, and its batch norms are not merged."""

    network: NextViT
    labels: tuple[str, ...] = ()
    resolution: int = 224
    precision: str = "fp32"  # of the formats that a run-time reads; the others keep fp32
    batch: int = 1  # 0 for any
    image_input: bool = False  # images themselves rather than normalised tensors, where the format can
    weights: str = "random: it is not trained yet"
    provenance: dict[str, Any] = field(default_factory=dict)  # run, trial, measurements, versions

    @property
    def architecture(self) -> Architecture:
        """The architecture of the network."""
        return self.network.architecture

    @cached_property
    def num_classes(self) -> int:
        """The number of classes of its head."""
        return int(self.network.state_dict()["head.fc.weight"].shape[0])

    @property
    def preprocessing(self) -> dict[str, Any]:
        """How an image becomes the network's input."""
        return {
            "resolution": self.resolution,
            "crop": CROP,
            "interpolation": INTERPOLATION,
            "mean": list(MEAN),
            "std": list(STD),
            "layout": "RGB, (batch, 3, height, width), (value / 255 - mean) / std",
        }

    def document(self) -> dict[str, Any]:
        """The config: the architecture, with its provenance."""
        state = {"weights": self.weights, "preprocessing": self.preprocessing}
        about = {"id": self.architecture.id, **self.provenance, **state}
        return {**self.architecture.to_dict(), "provenance": about}

    def metadata(self) -> dict[str, str]:
        """The same as texts by name, for file formats that carry metadata."""
        return {
            "architecture": self.architecture.canonical_json(),
            "notation": str(self.architecture),
            "preprocessing": json.dumps(self.preprocessing),
            "provenance": json.dumps(self.provenance),
            "weights": self.weights,
            **({"labels": json.dumps(self.labels)} if self.labels else {}),
        }
