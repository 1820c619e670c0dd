"""Single modules made of our source: one network that needs torch alone, or the whole family for timm."""

import ast
import inspect
import re
from collections.abc import Collection, Iterator
from dataclasses import fields
from textwrap import indent
from types import ModuleType
from typing import cast

from results.exports.common.deliverable import Deliverable
from results.glyphs import glyph
from search_spaces import zoo
from search_spaces.common import errors, plugins, texts
from search_spaces.common import network as described
from search_spaces.nextvit import architecture, blocks, checks, folding, network, parts, preparation, reading, stage

HEAD = '''"""{notation}: a network of the Next-ViT family (arXiv 2207.05501), built with torch alone.

{glyph}

    from model import create
    network = create(num_classes={num_classes})
    network.load_state_dict(safetensors.torch.load_file("model.safetensors"))
    logits = network.eval()(images)      # (batch, 3, {resolution}, {resolution}); RGB, (value / 255 - mean) / std
    maps = network.features(images)      # strides 4, 8, 16, 32: channels {channels}

mean {mean}, std {std}. Weights: {weights}.
"""

from collections import OrderedDict
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
    normalization: str = "batch"
    activation: str = "relu"

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
{variants})


def create(num_classes: int = {num_classes}, drop_path_rate: float = 0.0) -> NextViT:
    """The network, with fresh weights."""
    return NextViT(ARCHITECTURE, num_classes=num_classes, drop_path_rate=drop_path_rate)
'''


def source(deliverable: Deliverable) -> str:
    """The text of the module."""
    plan = deliverable.own.architecture
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
    pieces = [head, *(inspect.getsource(piece) for piece in (stage.Block, architecture.stem_layers)), numbers]
    pieces += [*map(body, (parts, folding)), _zoo({block.kind for row in plan.blocks for block in row})]
    pieces += [body(blocks), body(network), _build(deliverable)]
    return "\n".join(piece.strip("\n") + "\n\n" for piece in pieces).rstrip("\n") + "\n"


def for_timm() -> str:
    """The text of a module that registers `nextvit_nas` in timm, for any architecture; it needs torch and timm."""
    from search_spaces.nextvit import timm_models

    before = (errors, texts, described)
    after = (checks, stage, architecture, reading, parts, folding, blocks, network, preparation, timm_models)
    bodies = [*map(body, before), _zoo(zoo.KINDS), *map(body, after)]
    code = "\n\n\n".join([*(each.strip("\n") for each in bodies), "register_model(nextvit_nas)"])
    modules = (*before, *after)
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
    """The source of a module of ours without docstring, imports and command line, our other modules' names left out."""
    text = inspect.getsource(module)
    lines = text.splitlines()
    for node in ast.parse(text).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        command = isinstance(node, ast.If) or (isinstance(node, ast.FunctionDef) and node.name == "main")
        if docstring or command or isinstance(node, ast.Import | ast.ImportFrom):
            assert node.end_lineno
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    ours = r"(?<![\w.])(blocks|folding|parts|reading|texts)\.(?=[A-Za-z])"
    return re.sub(ours, "", "\n".join(lines)).strip("\n") + "\n"


def _zoo(letters: Collection[str]) -> str:
    """The blocks of other families that a network has, each as a class, and their table."""
    kinds = {kind: zoo.KINDS[kind] for kind in sorted(zoo.KINDS) if kind in letters}
    classes = {kind: module.__name__.rpartition(".")[2].capitalize() for kind, module in kinds.items()}
    pieces = [_zoo_class(name, cast(ModuleType, kinds[kind])) for kind, name in classes.items()]
    table = ", ".join(f'"{kind}": {name}' for kind, name in classes.items())
    return "\n\n\n".join([*pieces, f"KINDS = {{{table}}}  # blocks of other families, by letter"])


def _zoo_class(name: str, module: ModuleType) -> str:
    """A block of the zoo as a class: its constants, and the function that makes its torch modules."""
    lines = body(module).splitlines()
    functions = {each.name: each for each in ast.parse("\n".join(lines)).body if isinstance(each, ast.FunctionDef)}
    start, end = functions["parts"].lineno - 1, functions["deployed"].lineno - 1
    constants = re.findall(r"\b[A-Z_]{2,}\b(?=.*=)", "\n".join(lines[:start]))
    code = "\n".join(line for line in lines[start:end] if not re.match(r" +(from|import) ", line))
    code = re.sub(rf"\b({'|'.join(constants)})\b", rf"{name}.\1", code)  # which a class's functions do not see
    code = re.sub(r"\n{3,}", "\n\n", "\n".join([*lines[:start], "@staticmethod", code]).strip("\n"))
    return f'class {name}:\n    """{plugins.summary(module)}"""\n\n' + indent(code, "    ")


def _build(deliverable: Deliverable) -> str:
    rows = []
    for row in deliverable.own.architecture.blocks:
        rows += ["        (", *(f"            {_call(block)}," for block in row), "        ),"]
    plan = deliverable.own.architecture
    names = [name for name in ("normalization", "activation") if getattr(plan, name) != architecture.VARIANTS[name][0]]
    variants = "".join(f'    {name}="{getattr(plan, name)}",\n' for name in names)
    return BUILD.format(stem=plan.stem, rows="\n".join(rows), variants=variants, num_classes=deliverable.num_classes)


def _call(block: stage.Block) -> str:
    """The call that makes a block, on one line, without what has its default."""
    given = {field.name: getattr(block, field.name) for field in fields(block)}
    values = {field.name: given[field.name] for field in fields(block) if given[field.name] != field.default}
    return f"Block({', '.join(f'{name}={value!r}' for name, value in values.items())})".replace("'", '"')
