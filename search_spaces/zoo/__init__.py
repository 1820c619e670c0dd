"""Blocks of other families, to compare with NCB and NTB: each file is a block of a network's notation, by its letter.

Importing a file does not import torch. Every block begins with the family's PatchEmbed, which changes width and
resolution, and keeps the norms and activations of its own paper, whatever those of the network are.
"""

from typing import Any, Protocol, cast

from search_spaces.common import plugins


class Kind(Protocol):
    """What every module of this folder offers. `block` is a `Block`, `walk` the `Deployed` walk of a network."""

    __name__: str
    LETTER: str
    ATTENDS: bool  # over heads, like an NTB: such a block takes `transformer_width` by default, others `conv_width`
    POOLS: bool  # whether keys and values are averaged by the stage's `sr_ratio`
    MLP_RATIO: float  # hidden channels, as a multiple of the block's
    ENDS: tuple[str, ...]  # the last layers of residual branches, unless they are an `e_mhsa.proj` or an `mlp.fc2`

    def parts(self, block: Any, drop_path: float) -> dict[str, Any]:
        """The torch modules that follow the PatchEmbed, by name; they run one after the other."""

    def deployed(self, walk: Any, x: Any, name: str, block: Any) -> Any:
        """The same by the operators of a walk, from the output of the PatchEmbed on."""


def _kinds() -> dict[str, Kind]:
    modules = (cast(Kind, plugins.load(__name__, name, "block")) for name in plugins.names(__name__))
    return {module.LETTER: module for module in modules}


KINDS = _kinds()
