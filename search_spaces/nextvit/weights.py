"""Weights for a network: read from a safe file or from timm's hub, and inherited where they fit.

The rule of inheritance, for weights of another depth, width or number of classes:

1. In each stage a block inherits from one of its own kind: the first from the first where both are of one kind (it
   changes width and resolution), all others counted from the end of the stage, where the paper has its transformers.
2. A tensor of equal shape is taken whole, one of another shape in its leading part (the first channels).
3. A classifier for another number of classes is not taken. What has no counterpart keeps its fresh values.
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
WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")  # where training scripts keep them in a checkpoint
BLOCK = re.compile(r"stages\.(\d+)\.blocks\.(\d+)\.(.+)")
CLASSIFIER = "head.fc."


@dataclass(frozen=True, kw_only=True)
class Inherited:
    """What a network took from other weights, by the names of its own tensors; `unused` by the names of theirs."""

    whole: tuple[str, ...]
    part: tuple[str, ...]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]
    parameters: int  # values that were taken
    total: int  # values of the network

    @property
    def summary(self) -> str:
        """In one line, for people."""
        if not (self.part or self.fresh):
            return f"all {self.total:,} values taken" + (f", {len(self.unused)} tensors unused" if self.unused else "")
        named = ", ".join(self.fresh[:3]) + (", ..." if len(self.fresh) > 3 else "")
        return (
            f"{self.parameters:,} of {self.total:,} values taken: {len(self.whole)} tensors whole, {len(self.part)} in "
            f"part, {len(self.fresh)} fresh{f' ({named})' if named else ''}, {len(self.unused)} unused"
        )


def read(source: str, *, allow_pickle: bool = False) -> dict[str, Tensor]:
    """Weights by parameter name, from FILE.safetensors or from timm's hub (`timm:nextvit_small.bd_in1k`).

    A pickled checkpoint (.pth and its like) is read only where that is allowed, and then without running its code.

    Raises:
        UsageError: no such file, a file of another kind, or a pickle that was not allowed.
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
        raise UsageError(f"'{source}' is no kind of weights that is known here", "name a .safetensors file")
    if not allow_pickle:
        raise UsageError(
            f"'{source}' is a pickle, which can run code of whoever made it",
            "convert it to .safetensors, or say --allow-pickle if you trust it",
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
    except Exception as error:  # the hub, the proxy, the cache and the file each fail in a way of their own
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
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged archive, or one that wants to run code: torch has a type for each
        raise _damaged(path, error) from None
    for wrapper in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise NegativeAnswer(f"'{path}' holds no weights by name", "save network.state_dict() as .safetensors")
    return {name.removeprefix("module."): value for name, value in found.items()}


def _damaged(path: Path, error: Exception) -> NegativeAnswer:
    words = (str(error).splitlines() or [""])[0]
    return NegativeAnswer(f"'{path}' cannot be read: {words:.200}", "it may be cut off: fetch or write it again")


@torch.no_grad()
def inherit(network: nn.Module, weights: Mapping[str, Tensor]) -> Inherited:
    """Takes weights where they fit, by the rule above, and says what was taken.

    Raises:
        UsageError: nothing fits: these are the weights of another kind of network.
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
    """Each tensor of the network with the name of the one that it may inherit from."""
    blocks = _block_map(_kinds(own), _kinds(weights))
    for name in own:
        found = BLOCK.fullmatch(name)
        if found:
            stage, block = int(found[1]), int(found[2])
            if (stage, block) not in blocks:
                continue
            source = f"stages.{stage}.blocks.{blocks[stage, block]}.{found[3]}"
        else:
            source = name
        if source in weights:
            yield name, source


def _kinds(names: Mapping[str, Tensor]) -> dict[int, list[str]]:
    """The block sequence of each stage: only a transformer block has a `norm2`."""
    kinds: dict[tuple[int, int], str] = {}
    for name in names:
        if found := BLOCK.fullmatch(name):
            place = int(found[1]), int(found[2])
            kinds[place] = "T" if found[3].startswith("norm2.") else kinds.get(place, "C")
    stages: dict[int, list[str]] = {}
    for stage, block in sorted(kinds):
        stages.setdefault(stage, []).append(kinds[stage, block])
    return stages


def _block_map(own: dict[int, list[str]], theirs: dict[int, list[str]]) -> dict[tuple[int, int], int]:
    """From (stage, block) to the number of the block in the same stage from which it inherits."""
    found: dict[tuple[int, int], int] = {}
    for stage, kinds in own.items():
        others = theirs.get(stage, [])
        same = bool(others) and kinds[0] == others[0]
        if same:
            found[stage, 0] = 0
        for kind in "CT":
            ours = [block for block, each in enumerate(kinds) if each == kind and not (same and block == 0)]
            given = [block for block, each in enumerate(others) if each == kind and not (same and block == 0)]
            for block, source in zip(reversed(ours), reversed(given), strict=False):
                found[stage, block] = source
    return found
