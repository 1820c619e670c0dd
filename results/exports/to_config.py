"""The architecture with its provenance as JSON and YAML, by the schema in docs/: every command reads it."""

import json
from collections.abc import Sequence
from pathlib import Path

from results.exports.common.deliverable import Array, Deliverable

FILES = ("architecture.json", "architecture.yaml")
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

    from search_spaces.nextvit import reading
    from search_spaces.nextvit.network import NextViT

    plans = {reading.read(folder / name) for name in FILES}
    assert plans == {deliverable.architecture}, "an architecture must survive its own files"
    network = NextViT(plans.pop(), num_classes=deliverable.num_classes).eval()
    network.load_state_dict(deliverable.network.state_dict())
    return [network(torch.from_numpy(images)).detach().numpy() for images in batches]
