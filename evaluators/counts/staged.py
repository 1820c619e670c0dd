"""Traces of networks whose options name their stages, put together from parts: a search counts thousands of them.

All blocks of a stage but its first are alike, and what a stage does depends on its own blocks and on the width before
it alone. So a network with two blocks in each stage tells the parts of every deeper one, and of every other network
that has such a stage.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from torch import nn

from evaluators.counts.layer_tracing import Trace, recorded
from evaluators.counts.layers import Layer
from search_spaces import TimmNetwork
from search_spaces.peers import timm_models
from search_spaces.peers.stages import Stages, with_depths

PLACE = re.compile(r"stages\.(\d+)(?:\.blocks\.(\d+))?")
Place = tuple[int, int]  # a stage, from 0, and whether it is its first block, with what is before, or a further one
STEM, HEAD = (-1, 0), (-2, 0)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a part of a network does to one image."""

    layers: tuple[Layer, ...]
    params: int
    operators: Counter[str]


_PARTS: dict[Hashable, Part] = {}  # by what decides on a part


def trace(network: TimmNetwork, stages: Stages, resolution: int) -> Trace:
    """The trace of the whole network, as `layer_tracing.trace` finds it block by block."""
    keys = _keys(network, stages, resolution)
    if any(key not in _PARTS for key in keys.values()):
        found = _parts(network, len(stages.depths), resolution)
        _PARTS.update({key: found[place] for place, key in keys.items()})
    chosen = [_PARTS[keys[STEM]]]
    for stage, depth in enumerate(stages.depths):
        chosen += [_PARTS[keys[stage, 0]], *[_PARTS[keys[stage, 1]]] * (depth - 1)]
    chosen.append(_PARTS[keys[HEAD]])
    operators = sum((part.operators for part in chosen), Counter[str]())
    layers = (layer for part in chosen for layer in part.layers)
    return Trace.of(layers, sum(part.params for part in chosen), operators)


def _keys(network: TimmNetwork, stages: Stages, resolution: int) -> dict[Place, Hashable]:
    """What decides on each part: the model and its other options, and the widths and kinds around it."""
    named = (stages.depths, stages.widths, stages.kinds)
    others = tuple(option for option in network.options if option[1] not in named)
    body = tuple(option for option in others if not option[0].startswith("head"))
    common, whole = (network.model, body, resolution), (network.model, others, resolution)
    before = (stages.widths[0], *stages.widths)
    keys: dict[Place, Hashable] = {STEM: (STEM, common, stages.widths[0]), HEAD: (HEAD, whole, stages.widths[-1])}
    for stage, (into, out, kind) in enumerate(zip(before, stages.widths, stages.kinds, strict=False)):
        for block in (0, 1):
            keys[stage, block] = (stage, block, common, into, out, kind)
    return keys


def _parts(network: TimmNetwork, count: int, resolution: int) -> dict[Place, Part]:
    """The parts of a network, read off one with two blocks in each stage."""
    module = timm_models.on_paper(with_depths(network, (2,) * count), resolution=resolution)
    places: list[Place] = []
    operators: dict[Place, Counter[str]] = {}
    at = [STEM]

    def watch(name: str, is_layer: bool) -> None:
        operators.setdefault(at[0], Counter())[name] += 1
        if is_layer:
            places.append(at[0])

    for name, part in module.named_modules():
        if found := PLACE.fullmatch(name):
            place = (int(found[1]), int(found[2] or 0))
            part.register_forward_pre_hook(_moves(at, place))
            if not found[2]:
                part.register_forward_hook(_moves(at, HEAD))
    layers = recorded(module, resolution, watch).layers
    blocks = [(stage, block) for stage in range(count) for block in (0, 1)]
    assert operators.keys() >= set(blocks), "its modules are no stages of blocks"
    params = Counter[Place]()
    for name, parameter in module.named_parameters():
        params[_owner(name)] += parameter.numel()
    return {
        place: Part(
            layers=tuple(layer for layer, own in zip(layers, places, strict=True) if own == place),
            params=params[place],
            operators=operators.get(place, Counter()),
        )
        for place in (STEM, HEAD, *blocks)
    }


def _moves(at: list[Place], place: Place) -> Callable[..., None]:
    def hook(module: nn.Module, *_: Any) -> None:
        at[0] = place

    return hook


def _owner(parameter: str) -> Place:
    """The part that a parameter belongs to."""
    if found := PLACE.match(parameter):
        return int(found[1]), int(found[2] or 0)
    return STEM if parameter.startswith("stem") else HEAD
