"""Weights for a network: read from a file or from timm's hub, and inherited where they fit.

The rule of inheritance, for weights of another depth, width or number of classes:

1. In each stage a block inherits from a block of its own kind. The first block inherits from the first if both are of
   one kind, because it changes width and resolution; all others are matched from the end of the stage, where the paper
   has its transformers.
2. A tensor of equal shape is copied whole, one of another shape in its leading part (the first channels).
3. A classifier for another number of classes is not copied. A tensor without a counterpart keeps its fresh values.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.common.errors import NegativeAnswer, Unavailable, UsageError

PICKLED = {".bin", ".ckpt", ".pt", ".pth"}
WRAPPERS = (
    "state_dict_ema",
    "model_ema",
    "state_dict",
    "model",
)  # keys of weights in checkpoints of training scripts
BLOCK = re.compile(r"stages\.(\d+)\.blocks\.(\d+)\.(.+)")
CLASSIFIER = "head.fc."


@dataclass(frozen=True, kw_only=True)
class Inherited:
    """The result of an inheritance, by the names of the network's tensors; `unused` by the names of the given ones."""

    whole: tuple[str, ...]
    part: tuple[str, ...]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]
    parameters: int  # values that were copied
    total: int  # values of the network

    @property
    def summary(self) -> str:
        """A line for people."""
        if not (self.part or self.fresh):
            return f"all {self.total:,} values taken" + (f", {len(self.unused)} tensors unused" if self.unused else "")
        named = ", ".join(self.fresh[:3]) + (", ..." if len(self.fresh) > 3 else "")
        return (
            f"{self.parameters:,} of {self.total:,} values taken: {len(self.whole)} tensors whole, {len(self.part)} in "
            f"part, {len(self.fresh)} fresh{f' ({named})' if named else ''}, {len(self.unused)} unused"
        )


def read(source: str, *, allow_pickle: bool = False) -> dict[str, Tensor]:
    """Weights by parameter name, from FILE.safetensors or from timm's hub (`timm:nextvit_small.bd_in1k`).

    A pickled checkpoint (.pth and the like) is read only if `allow_pickle` is set, and then without running its code.

    Raises:
        UsageError: no such file, a file of another kind, or a pickle without permission.
        NegativeAnswer: the file is damaged or holds no weights.
        Unavailable: timm's hub cannot be reached, or has no such weights.
    """
    if source.startswith("timm:"):
        return from_timm(source.removeprefix("timm:"))
    path = Path(source)
    if not path.is_file():
        raise UsageError(f"there is no file '{source}'", "name FILE.safetensors, or timm:nextvit_small.bd_in1k")
    if path.suffix == ".safetensors":
        return _safe(path)
    if path.suffix not in PICKLED:
        raise UsageError(f"'{source}' is not a known kind of weights", "name a .safetensors file")
    if not allow_pickle:
        raise UsageError(
            f"'{source}' is a pickle, which can run its author's code",
            "convert it to .safetensors, or allow pickles if you trust its source",
        )
    return _pickled(path)


def from_timm(model: str) -> dict[str, Tensor]:
    """timm's published weights of a model, by parameter name.

    Raises:
        Unavailable: the hub cannot be reached, or has no such weights.
    """
    import timm

    try:
        weights: dict[str, Tensor] = timm.create_model(model, pretrained=True).state_dict()
    except Exception as error:  # the hub, a proxy, the cache and the file fail in different ways
        raise Unavailable(
            f"timm's weights '{model}' could not be loaded: {type(error).__name__}: {str(error).splitlines()[0]:.200}",
            "check the connection to huggingface.co (or set HF_HUB_OFFLINE=0), or build without pretrained weights",
        ) from error
    return weights


def _safe(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from None


def _pickled(path: Path) -> dict[str, Tensor]:
    try:
        weights: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged archive, or one that wants to run code: torch raises many types
        raise _damaged(path, error) from None
    for wrapper in WRAPPERS:
        if isinstance(weights, Mapping) and isinstance(weights.get(wrapper), Mapping):
            weights = weights[wrapper]
    if not isinstance(weights, Mapping) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise NegativeAnswer(f"'{path}' holds no weights by name", "save network.state_dict() as .safetensors")
    return {name.removeprefix("module."): value for name, value in weights.items()}


def _damaged(path: Path, error: Exception) -> NegativeAnswer:
    reason = (str(error).splitlines() or [""])[0]
    return NegativeAnswer(f"'{path}' cannot be read: {reason:.200}", "it may be incomplete: download or write it again")


@torch.no_grad()
def inherit(network: nn.Module, weights: Mapping[str, Tensor]) -> Inherited:
    """Copies weights into a network where they fit, by the rule above.

    Raises:
        UsageError: nothing fits: the weights belong to another kind of network.
    """
    own = network.state_dict()
    sources = dict(_counterparts(own, weights))
    whole, part, taken = [], [], 0
    for name, source in sources.items():
        target, given = own[name], weights[source]
        if target.shape == given.shape:
            whole.append(name)
        elif target.ndim != given.ndim or name.startswith(CLASSIFIER):
            continue
        else:
            part.append(name)
        common = tuple(slice(min(ours, theirs)) for ours, theirs in zip(target.shape, given.shape, strict=True))
        target[common] = given[common].to(target.dtype)
        taken += target[common].numel()
    if not taken:
        raise UsageError(
            f"these are weights of another network: none of their {len(weights)} tensors fits",
            f"expected names such as {', '.join(list(own)[:3])}",
        )
    used = {sources[name] for name in (*whole, *part)}
    return Inherited(
        whole=tuple(whole),
        part=tuple(part),
        fresh=tuple(name for name in own if name not in {*whole, *part}),
        unused=tuple(name for name in weights if name not in used),
        parameters=taken,
        total=sum(value.numel() for value in own.values()),
    )


def _counterparts(own: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """Pairs of names: a tensor of the network, and the given tensor that it may inherit from."""
    blocks = _block_map(_kinds(own), _kinds(weights))
    for name in own:
        part = BLOCK.fullmatch(name)
        if part:
            stage, block = int(part[1]), int(part[2])
            if (stage, block) not in blocks:
                continue
            source = f"stages.{stage}.blocks.{blocks[stage, block]}.{part[3]}"
        else:
            source = name
        if source in weights:
            yield name, source


def _kinds(names: Mapping[str, Tensor]) -> dict[int, list[str]]:
    """The block sequence of each stage.

    Only a transformer block has a `norm2`, only it and a convolution block an `mhca`; a block of the zoo is known by
    the first part after its PatchEmbed.
    """
    parts: dict[tuple[int, int], dict[str, None]] = {}
    for name in names:
        if part := BLOCK.fullmatch(name):
            parts.setdefault((int(part[1]), int(part[2])), {})[part[3].partition(".")[0]] = None
    stages: dict[int, list[str]] = {}
    for (stage, _), found in sorted(parts.items()):
        stages.setdefault(stage, []).append(_kind(list(found)))
    return stages


def _kind(parts: list[str]) -> str:
    if "norm2" in parts:
        return "T"
    return "C" if "mhca" in parts else next((part for part in parts if part != "patch_embed"), "")


def _block_map(own: dict[int, list[str]], theirs: dict[int, list[str]]) -> dict[tuple[int, int], int]:
    """From (stage, block) to the index of the given block, in the same stage, from which it inherits."""
    sources: dict[tuple[int, int], int] = {}
    for stage, kinds in own.items():
        others = theirs.get(stage, [])
        same = bool(others) and kinds[0] == others[0]
        if same:
            sources[stage, 0] = 0
        for wanted in set(kinds):
            ours = [block for block, kind in enumerate(kinds) if kind == wanted and not (same and block == 0)]
            given = [block for block, kind in enumerate(others) if kind == wanted and not (same and block == 0)]
            for block, source in zip(reversed(ours), reversed(given), strict=False):
                sources[stage, block] = source
    return sources
