"""The stages of a network that timm builds, where its options name them: depth, width and kind of blocks of each."""

from dataclasses import dataclass, replace
from typing import Any

from search_spaces.peers.timm_network import TimmNetwork, Value

DEPTHS, WIDTHS, KINDS = "depths", ("dims", "embed_dim"), ("token_mixers", "block_type")  # as timm's families call them


@dataclass(frozen=True, kw_only=True)
class Stages:
    """The stages in order. All blocks of a stage but its first are alike."""

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    kinds: tuple[str, ...]  # letters: C convolution, A or T attention, M both


def stages(network: TimmNetwork) -> Stages | None:
    """The stages that a network's options name; None where they do not name all three of each, by one letter each."""
    options: dict[str, Any] = dict(network.options)
    depths = options.get(DEPTHS)
    widths, kinds = (next((options[name] for name in names if name in options), None) for names in (WIDTHS, KINDS))
    rows = (depths, widths, kinds)
    if not all(isinstance(row, tuple) and len(row) == len(depths or ()) for row in rows):
        return None
    if not all(isinstance(kind, str) and len(kind) == 1 for kind in kinds or ()):
        return None
    return Stages(depths=depths or (), widths=widths or (), kinds=kinds or ())


def with_depths(network: TimmNetwork, depths: tuple[int, ...]) -> TimmNetwork:
    """The same network with stages of other depths."""
    options: dict[str, Value] = dict(network.options) | {DEPTHS: depths}
    return replace(network, options=tuple(options.items()))
