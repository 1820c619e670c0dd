"""A torch.export program: runs wherever torch does, without the source of the network."""

import json
from collections.abc import Sequence
from pathlib import Path

from results.exports.common.deliverable import Array, Deliverable

FILES = ("model.pt2",)
PEERS = True
LOADING = (
    "python",
    """import torch

network = torch.export.load("model.pt2").module()""",
)
MOST = 4096  # images in a batch, where any number is allowed


def write(deliverable: Deliverable, folder: Path) -> None:
    """Writes the program, with the config among its extra files."""
    import torch

    images = torch.randn(deliverable.batch or 2, 3, deliverable.resolution, deliverable.resolution)
    sizes = None if deliverable.batch else ({0: torch.export.Dim("batch", min=1, max=MOST)},)
    program = torch.export.export(deliverable.network, (images,), dynamic_shapes=sizes)
    torch.export.save(program, folder / FILES[0], extra_files={"config.json": json.dumps(deliverable.document())})


def answers(deliverable: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """The program, loaded from its file."""
    import torch

    network = torch.export.load(folder / FILES[0]).module()
    return [network(torch.from_numpy(images)).detach().numpy() for images in batches]
