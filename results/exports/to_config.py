"""The architecture with its provenance as JSON and YAML, by the schema in docs/: every command reads it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from results.exports.common.deliverable import Array, Deliverable
from search_spaces import Network, TimmNetwork
from search_spaces.common.networks import ours

if TYPE_CHECKING:
    from torch import nn

FILES = ("architecture.json", "architecture.yaml")
PEERS = True
LOADING = ("sh", "nas measure architecture.json --latency ort")


def write(deliverable: Deliverable, folder: Path) -> None:
    """Writes both."""
    import yaml

    document = json.loads(json.dumps(deliverable.document()))  # tuples become lists
    (folder / FILES[0]).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (folder / FILES[1]).write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")


def answers(deliverable: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """The network that the files describe, with the weights of the original."""
    import torch

    from search_spaces.common import networks

    plans = {networks.read(folder / name) for name in FILES}
    assert plans == {deliverable.architecture}, "a network must survive its own files"
    network = _built(plans.pop(), deliverable)
    network.load_state_dict(deliverable.network.state_dict())
    return [network(torch.from_numpy(images)).detach().numpy() for images in batches]


def _built(plan: Network, deliverable: Deliverable) -> "nn.Module":
    if isinstance(plan, TimmNetwork):
        from search_spaces.peers import timm_models

        return timm_models.build(plan, classes=deliverable.num_classes, resolution=deliverable.resolution)
    from search_spaces.nextvit.network import NextViT

    return NextViT(ours(plan), num_classes=deliverable.num_classes).eval()
