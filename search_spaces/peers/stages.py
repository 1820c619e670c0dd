"""The stages of a network that timm builds, where its options name them: depth, width and kind of blocks of each."""

from dataclasses import dataclass, replace
from typing import Any

from search_spaces.peers.timm_network import TimmNetwork, Value

LETTERS, DEEPEST = "CATM", 64  # blocks of a stage
DEPTHS, WIDTHS, KINDS = "depths", ("dims", "embed_dim"), ("token_mixers", "block_type")  # as timm's families call them


@dataclass(frozen=True, kw_only=True)
class Stages:
    """The stages in order. All blocks of a stage but its first are alike."""

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    kinds: tuple[str, ...]  # letters: C convolution, A or T attention, M both


def named_stages(network: TimmNetwork) -> Stages | None:
    """The stages that a network's options name; None where they do not name all three of each."""
    options: dict[str, Any] = dict(network.options)
    widths, kinds = (next((options[name] for name in names if name in options), None) for names in (WIDTHS, KINDS))
    rows: Any = (options.get(DEPTHS), widths, kinds)
    if not all(isinstance(row, tuple) for row in rows) or len(set(map(len, rows))) > 1:
        return None
    plan = Stages(depths=rows[0], widths=rows[1], kinds=rows[2])
    counted = all(type(number) is int and number > 0 for number in plan.depths + plan.widths)
    return plan if counted and max(plan.depths) <= DEEPEST and set(plan.kinds) <= set(LETTERS) else None


def with_depths(network: TimmNetwork, depths: tuple[int, ...]) -> TimmNetwork:
    """The same network with stages of other depths."""
    options: dict[str, Value] = dict(network.options) | {DEPTHS: depths}
    return replace(network, options=tuple(options.items()))
