"""Single modules made of our source: one network that needs torch alone, or the whole family for timm."""

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

from results.exports.common.deliverable import Deliverable
from results.glyphs import glyph
from search_spaces.common import errors
from search_spaces.nextvit import architecture, blocks, network, preparation

HEAD = '''"""{notation}: a network of the Next-ViT family (arXiv 2207.05501), built with torch alone.

{glyph}

    from model import create
    network = create(num_classes={num_classes})
    network.load_state_dict(safetensors.torch.load_file("model.safetensors"))
    logits = network.eval()(images)      # (batch, 3, {resolution}, {resolution}); RGB, (value / 255 - mean) / std
    maps = network.features(images)      # strides 4, 8, 16, 32: channels {channels}

mean {mean}, std {std}. Weights: {weights}.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
'''

TIMM_HEAD = '''"""The Next-ViT family (arXiv 2207.05501) for timm: importing this module registers `nextvit_nas`.

    import timm, nextvit_nas
    timm.create_model("local-dir:.", pretrained=True)  # this folder: config.json and model.safetensors
    timm.create_model("nextvit_nas", arch="CCC-CCCT-CCCCTCCCCT-CCT", num_classes=10, features_only=True)
"""
'''

NUMBERS = '''

@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The numbers of a network: the widths of its stem, and every block of its four stages."""

    stem: tuple[int, int, int]
    blocks: tuple[tuple[Block, ...], ...]

    @property
    def feature_channels(self) -> tuple[int, ...]:
        """Channels of the feature maps at strides 4, 8, 16 and 32."""
        return tuple(row[-1].out_channels for row in self.blocks)


STAGE_STRIDES = {strides}
'''

BUILD = '''

ARCHITECTURE = Architecture(
    stem={stem},
    blocks=(
{rows}
    ),
)


def create(num_classes: int = {num_classes}, drop_path_rate: float = 0.0) -> NextViT:
    """The network, with fresh weights."""
    return NextViT(ARCHITECTURE, num_classes=num_classes, drop_path_rate=drop_path_rate)
'''


def source(deliverable: Deliverable) -> str:
    """The text of the module."""
    plan = deliverable.architecture
    head = HEAD.format(
        notation=plan,
        glyph=glyph(plan),
        num_classes=deliverable.num_classes,
        resolution=deliverable.resolution,
        channels=plan.feature_channels,
        mean=preparation.MEAN,
        std=preparation.STD,
        weights=deliverable.weights,
    )
    numbers = NUMBERS.format(strides=architecture.STAGE_STRIDES)
    parts = [head, *(inspect.getsource(part) for part in (architecture.Block, architecture.stem_layers)), numbers]
    parts += [body(blocks), body(network), _build(deliverable)]
    return "\n".join(part.strip("\n") + "\n\n" for part in parts).rstrip("\n") + "\n"


def for_timm() -> str:
    """The text of a module that registers `nextvit_nas` in timm, for any architecture; it needs torch and timm."""
    from search_spaces.nextvit import timm_models

    modules = (errors, architecture, blocks, network, preparation, timm_models)
    code = "\n\n\n".join([*(body(module).strip("\n") for module in modules), "register_model(nextvit_nas)"])
    imports = sorted({line for module in modules for line in _imports(module, code)})
    return "\n".join([TIMM_HEAD, *imports]) + f"\n\n\n{code}\n"


def _imports(module: ModuleType, code: str) -> Iterator[str]:
    """The imports of a module that are not ours and that the code uses, one name a line."""
    for node in ast.parse(inspect.getsource(module)).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("search_spaces"):
            continue
        for alias in node.names:
            if re.search(rf"\b{(alias.asname or alias.name).partition('.')[0]}\b", code):
                alone = ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], 0)
                yield ast.unparse(alone)


def body(module: ModuleType) -> str:
    """The source of a module of ours without docstring, imports and command line, and with the names of blocks bare."""
    text = inspect.getsource(module)
    lines = text.splitlines()
    for node in ast.parse(text).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        command = isinstance(node, ast.If) or (isinstance(node, ast.FunctionDef) and node.name == "main")
        if docstring or command or isinstance(node, ast.Import | ast.ImportFrom):
            assert node.end_lineno
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return re.sub(r"(?<![\w.])blocks\.(?=[A-Za-z])", "", "\n".join(lines)).strip("\n") + "\n"


def _build(deliverable: Deliverable) -> str:
    rows = []
    for row in deliverable.architecture.blocks:
        rows += ["        (", *(f"            {_call(block)}," for block in row), "        ),"]
    return BUILD.format(stem=deliverable.architecture.stem, rows="\n".join(rows), num_classes=deliverable.num_classes)


def _call(block: architecture.Block) -> str:
    """The call that makes a block, on one line."""
    return repr(block).replace("'", '"')
