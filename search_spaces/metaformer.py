"""CAFormer and ConvFormer: convolution (C) or attention (A) in each stage, how deep and how wide, built by timm.

MetaFormer baselines (arXiv 2210.13452): every block is a token mixer and an MLP; a stage mixes by separable
convolutions of 7x7 or by attention over all its positions. `CCAA` is CAFormer, `CCCC` ConvFormer.
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

SIZES = {  # depths and widths of the published networks
    "s18": ((3, 3, 9, 3), (64, 128, 320, 512)),
    "s36": ((3, 12, 18, 3), (64, 128, 320, 512)),
    "m36": ((3, 12, 18, 3), (96, 192, 384, 576)),
    "b36": ((3, 12, 18, 3), (128, 256, 512, 768)),
}
MIXERS = {"caformer": ("C", "C", "A", "A"), "convformer": ("C", "C", "C", "C")}


def _build(plan: Stages) -> TimmNetwork:
    options: dict[str, Value] = {"depths": plan.depths, "dims": plan.widths, "token_mixers": plan.kinds}
    model = "caformer_s18" if "A" in plan.kinds else "convformer_s18"
    return TimmNetwork(model=model, options=tuple(options.items()))


SPACE = StagedSpace(
    choices=(
        Choices(depths=range(1, 5), widths=range(64, 129, 32), kinds="CA"),
        Choices(depths=range(1, 13), widths=range(128, 257, 64), kinds="CA"),
        Choices(depths=range(1, 19), widths=range(256, 513, 64), kinds="CA"),
        Choices(depths=range(1, 5), widths=range(512, 769, 64), kinds="CA"),
    ),
    build=_build,
    published={
        f"{family}_{size}": Stages(depths=depths, widths=widths, kinds=mixers)
        for family, mixers in MIXERS.items()
        for size, (depths, widths) in SIZES.items()
    },
    grows=True,
)


def suggest(trial: "optuna.trial.BaseTrial") -> TimmNetwork:
    """One network of the space. Different widths may build the same one; `params` returns those that it has."""
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
    """CAFormer and ConvFormer of the sizes of Next-ViT: measured first, as references for every front."""
    return {name: TimmNetwork(model=name) for name in SPACE.published if name.endswith(("s18", "s36"))}
