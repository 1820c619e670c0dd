"""One readable Python module that builds this network with torch alone, and a file of its weights."""

from collections.abc import Sequence
from pathlib import Path

from results.exports.common import fresh_process, standalone
from results.exports.common.deliverable import Array, Deliverable

FILES = ("model.py", "model.safetensors")
LOADING = (
    "python",
    """from model import create
from safetensors.torch import load_file

network = create()
network.load_state_dict(load_file("model.safetensors"))
network.eval()""",
)


def write(deliverable: Deliverable, folder: Path) -> None:
    """Writes the module and the weights."""
    from safetensors.torch import save

    (folder / FILES[0]).write_text(standalone.source(deliverable), encoding="utf-8")
    (folder / FILES[1]).write_bytes(save(deliverable.network.state_dict(), deliverable.metadata()))


def answers(deliverable: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """The module, in a process that does not import nas."""
    return fresh_process.answers(
        "import sys, torch\n"
        "from safetensors.torch import load_file\n"
        f"sys.path.insert(0, {str(folder)!r})\n"
        "import model\n"
        "network = model.create().eval()\n"
        f"network.load_state_dict(load_file({str(folder / FILES[1])!r}))\n",
        batches,
    )
