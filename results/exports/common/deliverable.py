"""A network to export: its weights, and everything that the exported files say about it."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search_spaces import Network, TimmNetwork
from search_spaces.nextvit.network import NextViT
from search_spaces.nextvit.preparation import CROP, INTERPOLATION, MEAN, STD

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[np.float32]  # images (B, 3, H, W) or logits (B, classes)


@dataclass(frozen=True, kw_only=True)
class Deliverable:
    """A network to export. `network` is in evaluation mode, on the CPU, and its batch norms are not merged.

    `peer` describes one of another family, which timm built.
    """

    network: "NextViT | nn.Module"
    peer: TimmNetwork | None = None
    labels: tuple[str, ...] = ()
    resolution: int = 224
    precision: str = "fp32"  # of the formats that a run-time reads; the others keep fp32
    batch: int = 1  # 0 for any
    image_input: bool = False  # images themselves rather than normalised tensors, where the format can
    weights: str = "random: it is not trained yet"
    provenance: dict[str, Any] = field(default_factory=dict)  # run, trial, measurements, versions

    @property
    def own(self) -> NextViT:
        """The network, where it is one of the Next-ViT family."""
        assert isinstance(self.network, NextViT)
        return self.network

    @property
    def architecture(self) -> Network:
        """What describes the network."""
        return self.peer or self.own.architecture

    @cached_property
    def num_classes(self) -> int:
        """The number of classes of its head."""
        return int(self.network.num_classes if self.peer else self.own.state_dict()["head.fc.weight"].shape[0])  # type: ignore[arg-type]

    @property
    def preprocessing(self) -> dict[str, Any]:
        """How an image becomes the network's input."""
        prepared = {"crop": CROP, "interpolation": INTERPOLATION, "mean": list(MEAN), "std": list(STD)}
        if self.peer:
            from search_spaces.peers import timm_models

            prepared = timm_models.preparation(self.peer)
        return {
            "resolution": self.resolution,
            **prepared,
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
