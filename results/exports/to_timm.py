"""A folder that timm loads: config.json, weights, and one module that registers the family in timm."""

import json
from collections.abc import Sequence
from pathlib import Path

from results.exports.common import fresh_process, standalone
from results.exports.common.deliverable import Array, Deliverable
from search_spaces.nextvit.preparation import CROP, MEAN, STD

FILES = ("timm",)
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

    config = hugging_face_config(
        deliverable.architecture,
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


def answers(deliverable: Deliverable, folder: Path, batches: Sequence[Array]) -> list[Array]:
    """The model that timm makes of the folder, in a process that does not import nas."""
    return fresh_process.answers(
        "import sys, timm, torch\n"
        f"sys.path.insert(0, {str(folder / FILES[0])!r})\n"
        "import nextvit_nas\n"
        f"network = timm.create_model('local-dir:{folder / FILES[0]}', pretrained=True).eval()\n",
        batches,
    )
