"""Next Hybrid Strategy, and what `nhs` keeps as published: heads, sr and MLP ratios, kernel, stem, order, pooling.

Stages are those of `nhs`, whose networks are all here, and choose their sr ratio too. A parameter without a stage holds
for the whole network. With heads of 64 channels, widths and shares of attention settle to multiples of 64.

Norms and activations stay Next-ViT's: batch norms cost nothing where a network is deployed. The resolution is no
property of a network, which takes images of any, but of what measures it: give each resolution a run of its own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from search_spaces.common.network import Network
from search_spaces.nextvit import stage_choices
from search_spaces.nextvit.architecture import HEAD_DIMS, PAPER, VARIANTS, Architecture
from search_spaces.nextvit.checks import CHANNEL_STEP
from search_spaces.nextvit.stacks import STACKS, Stacks
from search_spaces.nextvit.stage import SR_RATIOS, Stage
from search_spaces.nextvit.stage_choices import Allowed, chosen, not_held, of_family, remaining

if TYPE_CHECKING:
    import optuna

Values = Mapping[str, Sequence[Any]]
STEM = "stem_width"
MLP_RATIOS = tuple(0.5 * halves for halves in range(2, 9))  # 1 to 4; the paper has 3 in an NCB and 2 in an NTB
WHOLE: Values = {  # by parameter of the whole network; all but the stem's are fields of an architecture
    STEM: range(32, 97, 16),  # of its first, third and fourth convolution; the second has half of it
    "head_dim": HEAD_DIMS,
    "conv_mlp_ratio": MLP_RATIOS,
    "transformer_mlp_ratio": MLP_RATIOS,
    "conv_kernel": range(3, 8, 2),
    "transformer_order": VARIANTS["transformer_order"],
    "attention_pooling": VARIANTS["attention_pooling"],
}


@dataclass(frozen=True, kw_only=True)
class Choices(Stacks):
    """The choices for one stage, the sr ratio among them."""

    NAMES: ClassVar[dict[str, str]] = {**Stacks.NAMES, "sr_ratio": "sr_ratios"}


def _around(sr_ratio: int) -> tuple[int, ...]:
    """Half of the paper's sr ratio, itself, and twice as much: less would attend to thousands of keys in stage 1."""
    return tuple(each for each in SR_RATIOS if sr_ratio / 2 <= each <= sr_ratio * 2)


STAGES = tuple(
    Choices(**{**choices, "sr_ratios": _around(sr_ratio)}) for choices in STACKS for sr_ratio in choices["sr_ratios"]
)


def suggest(trial: "optuna.trial.BaseTrial") -> Architecture:
    """One network of the space. Different parameters may build the same one; `params` returns one of them."""
    whole = {name: chosen(trial, name, values) for name, values in WHOLE.items()}
    return _network(stage_choices.suggest(_of_heads(STAGES, whole["head_dim"]), trial), whole)


def _of_heads(stages: Sequence[Choices], head_dim: int) -> tuple[Choices, ...]:
    """The choices for stages whose widths divide into heads of that many channels."""
    return tuple(replace(choices, step=max(CHANNEL_STEP, head_dim)) for choices in stages)


def _network(stages: tuple[Stage, ...], whole: Mapping[str, Any]) -> Architecture:
    """A field that no stage uses stays Next-ViT's, so that equal networks are equal."""
    used = _used(stages)
    fields = {name: value for name, value in whole.items() if name in used and name != STEM}
    return Architecture(stages=stages, stem=_stem(whole[STEM]), **fields)


def _stem(width: int) -> tuple[int, int, int]:
    return width, width // 2, width


def _used(stages: Sequence[Stage]) -> frozenset[str]:
    """The parameters of the whole network that change something in a network of these stages."""
    return frozenset({STEM, "head_dim"}).union(*(stage.uses for stage in stages))


def params(architecture: Network) -> dict[str, Any]:
    """The parameters from which `suggest` builds this network, those that it does not use at their lowest.

    Raises:
        InvalidArchitecture: the space does not contain the network; names the field and the space's values.
    """
    return params_within(architecture, {})


def params_within(architecture: Network, allowed: Allowed) -> dict[str, Any]:
    """The same where only some values of parameters remain.

    Raises:
        InvalidArchitecture: none of them builds the network.
    """
    own, (whole, stages) = of_family(architecture), _remaining(allowed)
    used = _used(own.stages)
    found = {name: _value(own, name, values) if name in used else values[0] for name, values in whole.items()}
    varied = {"stem", *used}
    return found | stage_choices.params(own, _of_heads(stages, own.head_dim), varied)


def _remaining(allowed: Allowed) -> tuple[Values, tuple[Choices, ...]]:
    """What remains of the choices for the whole network, and for every stage."""
    return {name: allowed.get(name, values) for name, values in WHOLE.items()}, remaining(STAGES, allowed)


def _value(architecture: Architecture, name: str, values: Sequence[Any]) -> Any:
    if name == STEM:
        stems = [_stem(width) for width in values]
        if architecture.stem not in stems:
            raise not_held("stem", architecture.stem, stems)
        return architecture.stem[0]
    value = getattr(architecture, name)
    if value not in values:
        raise not_held(name, value, values)
    return value


def size() -> int:
    """The number of different networks in the space: different stages, with the fields that they use."""
    return size_within({})


def size_within(allowed: Allowed) -> int:
    """The same where only some values of parameters remain."""
    whole, stages = _remaining(allowed)
    return len(whole[STEM]) * sum(_size(_of_heads(stages, head_dim), whole) for head_dim in whole["head_dim"])


def _size(stages: Sequence[Choices], whole: Values) -> int:
    """The number of different networks with one stem and one size of heads, counted by the fields that they use."""
    counts = Counter({frozenset[str](): 1})
    for choices in stages:
        longer: Counter[frozenset[str]] = Counter()
        for stage, more in choices.counts().items():
            for before, count in counts.items():
                longer[before | stage] += count * more
        counts = longer
    return sum(count * prod(len(whole[name]) for name in used) for used, count in counts.items())


def anchors() -> dict[str, Architecture]:
    """Next-ViT-S, B and L, measured first, as references for every front."""
    return dict(PAPER)
