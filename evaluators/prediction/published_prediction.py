"""The ImageNet top-1 of a network as published networks predict it, and how far they reach.

It is no accuracy of that network: it says what networks of its size and shape reached, trained by the recipe of
Next-ViT's authors (300 epochs, no teacher). A typical error is 1.3 points for a family that the table does not hold,
and 0.5 for a relative of a network that it holds. A model of timm that the table holds is predicted without its own
results, which are reported beside the prediction.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from evaluators.prediction import published_features
from evaluators.prediction.published_process import PRIOR, SIZE_LINE, Networks, Process, Scales, Vector, to_percent
from evaluators.prediction.published_table import Table, table
from search_spaces import Architecture, Network, TimmNetwork
from search_spaces.zoo import KINDS

FAMILY, RECIPE = "nextvit", "bd"  # ByteDance's recipe, by which the paper's networks were trained without a teacher
FACTOR = 1.9  # standard deviations on both sides of the mean; 1.645 would be right if the kernel were
# The median of the networks of left-out families: what is as uncertain is no relative of a network in the table.
FAR = 0.067
FITTED = 16  # processes to keep, of 12 MB each


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Top-1 in percent, with the two ends of its interval, beside what size alone says."""

    mean: float
    low: float
    high: float
    spread: float  # the standard deviation of -ln(100 - top-1), without the noise of one training
    size_line: float
    beyond: str  # why there is no prediction: the size of the network lies outside the table; else empty
    published: str = ""  # the network's own result, without which it was predicted; empty where it has none
    left_out: int = 0  # the number of its own results

    @property
    def evidence(self) -> str:
        """Whether the table holds networks like this one."""
        return "far from evidence" if self.spread > FAR else "near"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader has to know of this very prediction; nothing for most."""
        if self.beyond:
            return (f"abstains: {self.beyond}",)
        own = (f"{self.published}; predicted without that result",) if self.published else ()
        return (*own, self.evidence) if self.spread > FAR else own


def predict(network: Network, resolution: int = published_features.SIZE) -> Prediction:
    """The prediction for a network and a size of images.

    Raises:
        Unavailable: the table is damaged.
        MeasurementFailed: a network of timm's that cannot be built for that resolution.
    """
    (prediction,) = predictions([network], resolution)
    return prediction


def predictions(networks: Sequence[Network], resolution: int = published_features.SIZE) -> list[Prediction]:
    """The predictions for many networks at once."""
    made: dict[Network, Prediction] = {}
    by_result: defaultdict[str, list[Network]] = defaultdict(list)
    for network in networks:
        by_result[_own_result(network)].append(network)
    for left_out, alike in by_result.items():
        made |= zip(alike, _predictions(alike, resolution, left_out), strict=True)
    return [made[network] for network in networks]


def _own_result(network: Network) -> str:
    """The architecture whose published results are those of this very network; empty for one that is not published.

    Our own family is predicted with the results of Next-ViT-S, B and L, whose kin every network of it is.
    """
    if isinstance(network, TimmNetwork) and not network.options and network.model in table().families:
        return network.model
    return ""


def _predictions(networks: Sequence[Network], resolution: int, left_out: str) -> Iterator[Prediction]:
    """Predictions from the table without the results of an architecture."""
    features = [published_features.of(network, resolution) for network in networks]
    rows = as_trained_in_the_paper(np.array([list(each.values()) for each in features]), _families(networks))
    means, spreads = process(PRIOR, left_out).predict(rows)
    ends = to_percent(means + FACTOR * spreads * np.array([[-1], [0], [1]]))  # (3, n)
    lines = to_percent(process(SIZE_LINE, left_out).mean(rows))
    published = table().published(left_out) if left_out else ""
    count = table().architecture.count(left_out) if left_out else 0
    for low, middle, high, spread, line, each in zip(
        *ends.tolist(), spreads.tolist(), lines.tolist(), features, strict=True
    ):
        yield Prediction(
            mean=middle,
            low=low,
            high=high,
            spread=spread,
            size_line=line,
            beyond=_beyond(each["log_macs"]),
            published=published,
            left_out=count,
        )


def contrast(
    first: Sequence[Architecture], second: Sequence[Architecture], resolution: int = published_features.SIZE
) -> tuple[float, float]:
    """By how many points the second networks are predicted to be better on average, and half of that interval.

    What both predictions have in common, such as the error of their family, cancels: the interval comes from their
    covariances, as `FACTOR` standard deviations, like those of single networks.
    """
    both = [*first, *second]
    networks = as_trained_in_the_paper(
        np.array([list(published_features.own(each, resolution).values()) for each in both]), _families(both)
    )
    means = process(PRIOR).mean(networks)
    weights = np.repeat([-1 / len(first), 1 / len(second)], [len(first), len(second)])
    slopes = weights * (100 - to_percent(means))  # top-1 is 100 - exp(-y): a step of y is worth 100 - top-1
    variance = float(slopes @ process(PRIOR).covariance(networks) @ slopes)
    return float(weights @ to_percent(means)), FACTOR * max(0.0, variance) ** 0.5


def as_trained_in_the_paper(features: Vector, families: Sequence[str]) -> Networks:
    """Networks (n, p), trained by the paper's recipe."""
    count = len(features)
    return Networks(
        features=features,
        legacy=np.zeros(count),
        recipe=[RECIPE] * count,
        family=families,
        architecture=[""] * count,
    )


def _families(networks: Sequence[Network]) -> list[str]:
    """Our family, or none for a network with blocks of others; of timm's networks, that of their model."""
    return [family(network) for network in networks]


def family(network: Network) -> str:
    """What the table of published networks calls the family of a network; empty where it holds none."""
    if isinstance(network, TimmNetwork):
        return table().families.get(network.model, "")
    return "" if set(str(network)) & set(KINDS) else FAMILY


def known(results: Table) -> Networks:
    """The networks of a table, as they were trained."""
    return Networks(
        features=results.features,
        legacy=results.legacy,
        recipe=results.recipe,
        family=results.family,
        architecture=results.architecture,
    )


@lru_cache(maxsize=FITTED)
def process(scales: Scales, left_out: str = "") -> Process:
    """The process of the whole table, or of the table without the results of an architecture, fitted once."""
    results = table().without(left_out) if left_out else table()
    return Process(known(results), results.top1, scales)


def _beyond(log_macs: float) -> str:
    """Why a network's size lies outside the table; empty if it does not."""
    sizes = table().column("log_macs")
    if sizes.min() <= log_macs <= sizes.max():
        return ""
    low, high = np.exp([sizes.min(), sizes.max()]) / 1e9
    return f"{np.exp(log_macs) / 1e9:.3g} GMACs, and the published networks have {low:.2g} to {high:.3g}"
