"""The architecture as JSON and YAML, with where it comes from: what every command here takes, and docs/ publish."""

import json
from collections.abc import Sequence
from pathlib import Path

from results.exports.common.deliverable import Array, Deliverable

FILES = ("architecture.json", "architecture.yaml")
LOADING = ("sh", "nas measure architecture.json --latency ort")


def write(what: Deliverable, folder: Path) -> None:
    """Writes both."""
    import yaml

    document = json.loads(json.dumps(what.document()))  # tuples become lists
    (folder / FILES[0]).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (folder / FILES[1]).write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")


def answers(what: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """The network built anew from each of the files, with the weights of the one at hand."""
    import torch

    from search_spaces.nextvit import reading
    from search_spaces.nextvit.network import NextViT

    plans = {reading.read(folder / name) for name in FILES}
    assert plans == {what.architecture}, "an architecture must survive its own files"
    network = NextViT(plans.pop(), num_classes=what.num_classes).eval()
    network.load_state_dict(what.network.state_dict())
    return [network(torch.from_numpy(images)).detach().numpy() for images in batches]
