"""A folder that timm loads: config.json, weights, and one module that registers the family in timm."""

import json
from collections.abc import Sequence
from pathlib import Path

from results.exports.common import fresh_process, standalone
from results.exports.common.deliverable import Array, Deliverable
from search_spaces import TimmNetwork
from search_spaces.common.errors import NegativeAnswer
from search_spaces.nextvit.preparation import CROP, MEAN, STD

FILES = ("timm",)
PEERS = True
LOADING = (
    "python",
    """import sys

import timm

sys.path.append("timm")
import nextvit_nas  # registers the model in timm

network = timm.create_model("local-dir:timm", pretrained=True).eval()""",
)
CONFIG, WEIGHTS, MODULE = "config.json", "model.safetensors", "nextvit_nas.py"


def write(deliverable: Deliverable, folder: Path) -> None:
    """Writes the folder, in the layout of Hugging Face's hub."""
    from safetensors.torch import save

    from search_spaces.nextvit.timm_models import hugging_face_config

    if deliverable.peer:
        _write_peer(deliverable, deliverable.peer, folder / FILES[0])
        return
    config = hugging_face_config(
        deliverable.own.architecture,
        num_classes=deliverable.num_classes,
        resolution=deliverable.resolution,
        mean=MEAN,
        std=STD,
        crop_pct=CROP,
        label_names=deliverable.labels or None,
    )
    place = folder / FILES[0]
    place.mkdir()
    (place / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (place / MODULE).write_text(standalone.for_timm(), encoding="utf-8")
    (place / WEIGHTS).write_bytes(save(deliverable.network.state_dict(), deliverable.metadata()))


def _write_peer(deliverable: Deliverable, peer: TimmNetwork, place: Path) -> None:
    """The folder of a network that timm itself builds: it needs no module.

    Raises:
        NegativeAnswer: timm's own function does not take what this network differs in.
    """
    from safetensors.torch import save

    from search_spaces.peers import timm_models

    if not timm_models.is_created_by_timm(peer):
        raise NegativeAnswer(
            f"timm.create_model makes {peer.model} with its own depths and widths alone, and not {peer}",
            "nothing was written; export it to config, onnx or torch",
        )
    side, prepared = deliverable.resolution, deliverable.preprocessing
    config = {
        "architecture": peer.model,
        "num_classes": deliverable.num_classes,
        "model_args": peer.to_dict().get("options", {}),
        "pretrained_cfg": {
            "input_size": [3, side, side],
            "crop_pct": prepared["crop"],
            **{name: prepared[name] for name in ("interpolation", "mean", "std")},
            **({"label_names": list(deliverable.labels)} if deliverable.labels else {}),
        },
    }
    place.mkdir()
    (place / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (place / WEIGHTS).write_bytes(save(deliverable.network.state_dict(), deliverable.metadata()))


def loading(deliverable: Deliverable) -> tuple[str, str]:
    """Of a model of timm's own, nothing has to be registered."""
    if not deliverable.peer:
        return LOADING
    return "python", 'import timm\n\nnetwork = timm.create_model("local-dir:timm", pretrained=True).eval()'


def answers(deliverable: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """The model that timm makes of the folder, in a process that does not import nas."""
    return fresh_process.answers(
        "import sys, timm, torch\n"
        f"sys.path.insert(0, {str(folder / FILES[0])!r})\n"
        + ("" if deliverable.peer else "import nextvit_nas\n")
        + f"network = timm.create_model('local-dir:{folder / FILES[0]}', pretrained=True).eval()\n",
        batches,
    )
