"""Next Hybrid Strategy: how many convolution blocks per transformer block, how often, how wide, in each stage.

A stage is `(C^N T^t)^L`: N NCBs, then t = 0 or 1 NTB, stacked L times (section 3.4 of arXiv 2207.05501). The space
holds Next-ViT-S, B and L, and the strategies that the paper compares them with: CCCC, CCCT, CCTT, CTTT and TTTT.
Parameters are flat, and every trial asks for all of them, so that a Gaussian process models each one.
"""

from math import prod
from typing import TYPE_CHECKING, Any

from search_spaces.common.network import Network
from search_spaces.nextvit import stage_choices
from search_spaces.nextvit.architecture import PAPER, Architecture
from search_spaces.nextvit.stacks import STACKS, Stacks
from search_spaces.nextvit.stage_choices import Allowed, remaining

if TYPE_CHECKING:
    import optuna

STAGES = tuple(Stacks(**choices) for choices in STACKS)


def suggest(trial: "optuna.trial.BaseTrial") -> Architecture:
    """One network of the space. Different parameters may build the same one; `params` returns one of them."""
    return Architecture(stages=stage_choices.suggest(STAGES, trial))


def params(architecture: Network) -> dict[str, Any]:
    """The parameters from which `suggest` builds this network: the fewest stacks, unused widths at their lowest.

    Raises:
        InvalidArchitecture: the space does not contain the network; names the field and the space's values.
    """
    return params_within(architecture, {})


def params_within(architecture: Network, allowed: Allowed) -> dict[str, Any]:
    """The same where only some values of parameters remain.

    Raises:
        InvalidArchitecture: none of them builds the network.
    """
    return stage_choices.params(architecture, remaining(STAGES, allowed))


def size() -> int:
    """The number of different networks in the space: different block sequences, with the widths that they use."""
    return size_within({})


def size_within(allowed: Allowed) -> int:
    """The same where only some values of parameters remain."""
    return prod(choices.size() for choices in remaining(STAGES, allowed))


def anchors() -> dict[str, Architecture]:
    """Next-ViT-S, B and L, the paper's own answer: measured first, as references for every front."""
    return dict(PAPER)
