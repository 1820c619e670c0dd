"""A search space for tests: networks so small that they are trained in seconds. Its name is `small`."""

from pathlib import Path

import pytest

SPACE = '''
"""Small networks, to be trained in seconds."""

from search_spaces.nextvit.architecture import Architecture
from search_spaces.nextvit.stage import Stage

CHOICES = {"first": ("C", "T"), "third": ("C", "CT", "TC", "TT", "CCT"), "last": ("C", "T")}


def suggest(trial):
    wide = trial.suggest_int("width", 64, 128, step=32)
    blocks = {name: trial.suggest_categorical(name, values) for name, values in CHOICES.items()}
    return built(wide, blocks["first"], blocks["third"], blocks["last"])


def built(wide, first, third, last):
    stages = [
        Stage(blocks=blocks, conv_width=width, transformer_width=width, mix_block_ratio=0.5, sr_ratio=1)
        for blocks, width in ((first, 64), ("C", 64), (third, wide), (last, wide))
    ]
    return Architecture(stages=tuple(stages), stem=(8, 8, 16), head_dim=16)


def params(architecture):
    first, _, third, last = (stage.blocks for stage in architecture.stages)
    wide = architecture.feature_channels[-1]
    return {"width": wide, "first": first, "third": third, "last": last}


def size():
    return 3 * 2 * 5 * 2


def anchors():
    return {"middle": built(96, "C", "CT", "C")}
'''


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Makes the space known to every process that the test starts."""
    (folder / "small.py").write_text(SPACE)
    monkeypatch.setenv("NAS_PLUGINS", str(folder / "small.py"))
