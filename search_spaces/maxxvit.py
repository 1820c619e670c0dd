"""MaxViT and CoAtNet: convolution (C), attention (T) or both in one block (M) in each stage, built by timm.

MaxViT (arXiv 2204.01697) follows every MBConv with attention in windows and in grids: `MMMM`. CoAtNet (arXiv
2106.04803) has MBConvs first and then attention over all positions: `CCTT`. All have the stem, the MBConv, the
attention and the head of timm's MaxViT; CoAtNets that timm has by name differ from it in these, and stand beside it as
`--anchor timm:coatnet_0_rw_224`. Images are of 224 px, or another multiple of 32.
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


def _build(plan: Stages) -> TimmNetwork:
    options: dict[str, Value] = {"depths": plan.depths, "embed_dim": plan.widths, "block_type": plan.kinds}
    head: dict[str, Value] = {"head_hidden_size": plan.widths[-1]}  # as in every published MaxViT
    return TimmNetwork(model="maxvit_tiny_tf_224", options=tuple((options | head).items()))


def _published(depths: tuple[int, ...], width: int) -> Stages:
    return Stages(depths=depths, widths=tuple(width * factor for factor in (1, 2, 4, 8)), kinds=("M",) * 4)


SPACE = StagedSpace(
    choices=(
        Choices(depths=range(1, 4), widths=range(64, 129, 32), kinds="CM"),
        Choices(depths=range(1, 7), widths=range(128, 257, 64), kinds="CMT"),
        Choices(depths=range(1, 15), widths=range(256, 513, 128), kinds="CMT"),
        Choices(depths=range(1, 4), widths=range(512, 1025, 256), kinds="CMT"),
    ),
    build=_build,
    published={
        "maxvit_tiny_tf_224": _published((2, 2, 5, 2), 64),
        "maxvit_small_tf_224": _published((2, 2, 5, 2), 96),
        "maxvit_base_tf_224": _published((2, 6, 14, 2), 96),
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
    """MaxViT-T and S: measured first, as references for every front."""
    return {name: TimmNetwork(model=name) for name in ("maxvit_tiny_tf_224", "maxvit_small_tf_224")}
