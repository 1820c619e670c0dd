"""Images in memory, split once into those to train and those to validate on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Answers:
    """One question that images ask: its name, its first label, and how many answers it knows."""

    name: str
    first: int
    classes: int
    chance: float  # the share of right answers of who always gives the most common one


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a data set asks. Results on equal identities may be compared."""

    name: str
    identity: str
    heads: tuple[Answers, ...]

    @property
    def classes(self) -> int:
        """Outputs that a network needs."""
        return sum(head.classes for head in self.heads)

    def skill(self, accuracies: Mapping[str, float]) -> float:
        """The mean over heads of (accuracy - chance) / (1 - chance): 0 is guessing, 1 is perfect."""
        shares = [(accuracies[head.name] - head.chance) / (1 - head.chance) for head in self.heads]
        return sum(shares) / len(shares)


@dataclass(frozen=True, kw_only=True)
class Images(Asked):
    """A data set at one resolution. Pixels are bytes (N, 3, H, W); labels (N,) count through the answers of all heads.

    `identity` is equal for equal pixels, labels and split.
    """

    train_pixels: "Tensor"
    train_labels: "Tensor"
    valid_pixels: "Tensor"
    valid_labels: "Tensor"
    mirrors: bool  # whether an image and its mirror image have the same label
    remarks: tuple[str, ...] = ()  # what was found and left out, in sentences
