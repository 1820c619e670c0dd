"""A search space for tests, of networks so small that they can really be trained: on the command line, `small`."""

import os
from pathlib import Path

import pytest

SPACE = '''
"""Small networks, to be trained in seconds."""

from search_spaces.nextvit.architecture import Architecture, Stage

CHOICES = {"first": ("C", "T"), "third": ("C", "CT", "TC", "TT", "CCT"), "last": ("C", "T")}


def suggest(trial):
    wide = trial.suggest_int("width", 64, 128, step=32)
    chosen = {name: trial.suggest_categorical(name, values) for name, values in CHOICES.items()}
    return built(wide, chosen["first"], chosen["third"], chosen["last"])


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
SITE = """
import search_spaces
search_spaces.__path__.append({folder!r})
"""


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Offers the space to every process that the test starts."""
    (folder / "spaces").mkdir(parents=True)
    (folder / "spaces" / "small.py").write_text(SPACE)
    (folder / "sitecustomize.py").write_text(SITE.format(folder=str(folder / "spaces")))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
