"""FastViT: RepMixer (C) or attention (A) in each stage, how deep and how wide, built by timm.

FastViT (arXiv 2303.14189): every block is a token mixer and a convolutional MLP; RepMixer is a depthwise convolution of
3x3, whose branches are merged when the network is deployed. Every stage is twice as wide as the one before. `CCCA` is
FastViT-SA, `CCCC` FastViT-S. Published networks with narrower MLPs (T8, T12) or other widths (MA36) stand beside it as
`--anchor timm:fastvit_t8`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from search_spaces.common.fixes import Values
from search_spaces.common.network import Network
from search_spaces.peers.staged_space import Choices, StagedSpace
from search_spaces.peers.stages import Stages
from search_spaces.peers.timm_network import TimmNetwork, Value

if TYPE_CHECKING:
    import optuna

WIDTHS = (64, 128, 256, 512)  # of the published networks of this space


def _build(plan: Stages) -> TimmNetwork:
    options: dict[str, Value] = {"depths": plan.depths, "dims": plan.widths, "token_mixers": plan.kinds}
    model = "fastvit_sa12" if "A" in plan.kinds else "fastvit_s12"
    return TimmNetwork(model=model, options=tuple(options.items()))


def _published(depths: tuple[int, ...], mixers: str) -> Stages:
    return Stages(depths=depths, widths=WIDTHS, kinds=tuple(mixers))


SPACE = StagedSpace(
    choices=(
        Choices(depths=range(1, 7), widths=range(32, 97, 16), kinds="C"),
        Choices(depths=range(1, 9), kinds="CA"),
        Choices(depths=range(1, 21), kinds="CA"),
        Choices(depths=range(1, 9), kinds="CA"),
    ),
    build=_build,
    published={
        "fastvit_s12": _published((2, 2, 6, 2), "CCCC"),
        "fastvit_sa12": _published((2, 2, 6, 2), "CCCA"),
        "fastvit_sa24": _published((4, 4, 12, 4), "CCCA"),
        "fastvit_sa36": _published((6, 6, 18, 6), "CCCA"),
    },
)


def suggest(trial: "optuna.trial.BaseTrial") -> TimmNetwork:
    """One network of the space."""
    return SPACE.suggest(trial)


def params(network: Network) -> dict[str, Any]:
    """The parameters from which `suggest` builds this network.

    Raises:
        InvalidArchitecture: the space does not contain it; names the field.
    """
    return SPACE.params(network)


def size() -> int:
    """The number of different networks in the space."""
    return SPACE.size()


def size_within(left: Mapping[str, Values]) -> int:
    """The same where only some values of parameters remain."""
    return SPACE.size(left)


def anchors() -> dict[str, TimmNetwork]:
    """FastViT-SA12, SA24 and SA36: measured first, as references for every front."""
    return {name: TimmNetwork(model=name) for name in SPACE.published if name.startswith("fastvit_sa")}
