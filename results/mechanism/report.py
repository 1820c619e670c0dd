"""What was seen of a network's blocks: means over images with their intervals, and what follows from them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.mechanism import spectrum
from evaluators.mechanism.probe import Observed, Reach, Spectrum
from evaluators.statistics.intervals import mean_interval
from evaluators.statistics.paired import Difference, differences
from evaluators.statistics.ranking import Interval
from search_spaces import Architecture

MEASURES = {"high_share": "points", "log_amplitude": "nats"}  # with the units of differences


def interval(values: NDArray[np.float64]) -> Interval:
    """The mean over images (N,), with its 95 % interval."""
    value, half = mean_interval(values)
    return Interval(value=value, low=value - half, high=value + half)


def measures(seen: Spectrum) -> dict[str, NDArray[np.float64]]:
    """How fine a map is, image by image (N,), by each of the measures."""
    return {"high_share": 100 * seen.high_shares, "log_amplitude": seen.log_amplitudes[:, -1]}


def percent(seen: Spectrum) -> Interval:
    """The share of high frequencies, in percent of the power that varies over positions."""
    share = interval(100 * seen.high_shares)
    return replace(share, low=max(share.low, 0.0), high=min(share.high, 100.0))


def highest(seen: Spectrum) -> Interval:
    """The log amplitude of the highest frequency, less that of frequency 0."""
    return interval(seen.log_amplitudes[:, -1])


def distance(reach: Reach) -> Interval:
    """The attention distance, as the mean over heads, in pixels."""
    return interval(reach.heads.mean(1))


@dataclass(frozen=True, kw_only=True)
class Report:
    """The blocks of a network with weights, as they were seen on some images."""

    architecture: Architecture
    blocks: tuple[Observed, ...]
    weights: str  # where they are from, for people
    trained: bool  # False: they are random
    images: str  # which, for people
    identity: str  # of the data set
    count: int
    resolution: int  # pixels a side
    versions: Mapping[str, str]
    remarks: tuple[str, ...] = ()

    @property
    def seen(self) -> tuple[Observed, ...]:
        """The blocks whose output has a spectrum."""
        return tuple(block for block in self.blocks if block.output)

    @property
    def attending(self) -> tuple[Observed, ...]:
        """The blocks with attention."""
        return tuple(block for block in self.blocks if block.reach)

    @property
    def mixing(self) -> tuple[Observed, ...]:
        """The blocks whose attention and convolution both have a spectrum."""
        return tuple(block for block in self.blocks if block.attention and block.convolution)

    @property
    def contrasts(self) -> dict[str, dict[str, Difference]]:
        """By measure and block: what attention adds, less what convolution adds.

        `high_share` is in points, `log_amplitude` that of the highest frequency. Differences are paired over images,
        and their intervals are widened so that with 95 % all of them hold at once.
        """
        pairs = {
            (measure, block.name): measures(block.attention)[measure] - measures(block.convolution)[measure]
            for block in self.mixing
            if block.attention and block.convolution
            for measure in MEASURES
        }
        widened = differences({**{" ".join(key): each for key, each in pairs.items()}, "": np.zeros(self.count)}, "")
        return {
            measure: {block.name: widened[f"{measure} {block.name}"] for block in self.mixing} for measure in MEASURES
        }

    @property
    def sentences(self) -> list[str]:
        """What follows, in words."""
        sentences = [] if self.trained else ["The weights are random: nothing here was learnt."]
        return [*sentences, *self._mixture(), self._distance(), *self._unseen(), *self.remarks]

    def _mixture(self) -> Iterator[str]:
        if not self.mixing:
            yield "No block has an attention and a convolution to compare."
            return
        amplitudes, shares = (_told(self.contrasts[measure]) for measure in ("log_amplitude", "high_share"))
        beside = "Compared with what convolution adds, what attention adds has"
        yield (
            f"{beside}, at the highest frequency and against the mean of the map, "
            f"{_in(amplitudes, 'a lower amplitude', 'a higher one', 'one that is not told apart')}."
        )
        yield (
            f"{beside}, in what varies over positions, "
            f"{_in(shares, 'a smaller share of high frequencies', 'a larger one', 'one that is not told apart')}."
        )

    def _distance(self) -> str:
        means = {block.name: (distance(block.reach), block.reach.uniform) for block in self.attending if block.reach}
        if not means:
            return "No block attends, so there is no attention distance to show."
        each = ", ".join(f"{mean.value:.0f} px in {name}" for name, (mean, _) in means.items())
        signs = {name: (mean.low > uniform) - (mean.high < uniform) for name, (mean, uniform) in means.items()}
        return (
            f"The mean attention distance is {each}, in images of {self.resolution} px a side. Compared with an "
            f"attention that is equal for all keys, that is {_in(signs, 'nearer', 'farther', 'as far')}."
        )

    def _unseen(self) -> Iterator[str]:
        small = {block.stage: block.side for block in self.blocks if block.side < spectrum.SMALLEST}
        for stage, side in small.items():
            yield (
                f"The maps of stage {stage} have {side} x {side} positions: too few for a spectrum, which takes "
                f"{spectrum.SMALLEST} a side. A larger --resolution shows it."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        contrasts = self.contrasts
        return {
            "network": str(self.architecture),
            "id": self.architecture.id,
            "weights": self.weights,
            "trained": self.trained,
            "images": {"name": self.images, "identity": self.identity, "count": self.count},
            "resolution": self.resolution,
            "versions": dict(self.versions),
            "sentences": self.sentences,
            "blocks": [self._block(block, contrasts) for block in self.blocks],
        }

    def _block(self, block: Observed, contrasts: dict[str, dict[str, Difference]]) -> dict[str, Any]:
        return {
            "block": block.name,
            "kind": block.kind,
            "stage": block.stage,
            "position": block.position,
            "side": block.side,
            "stride": block.stride,
            "output": _spectrum(block.output, block.side),
            "attention": _spectrum(block.attention, block.side),
            "convolution": _spectrum(block.convolution, block.side),
            "attention_less_convolution": {
                measure: asdict(by_block[block.name]) | {"unit": MEASURES[measure]}
                for measure, by_block in contrasts.items()
                if block.name in by_block
            },
            "distance": self._reach(block.reach),
        }

    def _reach(self, reach: Reach | None) -> dict[str, Any] | None:
        if reach is None:
            return None
        mean, diagonal = distance(reach), self.resolution * 2**0.5
        return asdict(mean) | {
            "unit": "px",
            "share_of_diagonal": mean.value / diagonal,
            "uniform": reach.uniform,
            "heads": reach.heads.mean(0).tolist(),
            "deviation_over_images": float(reach.heads.mean(1).std(ddof=1)),
        }


def _spectrum(seen: Spectrum | None, side: int) -> dict[str, Any] | None:
    if seen is None:
        return None
    return {
        "high_share": asdict(percent(seen)) | {"unit": "% of power", "white_noise": 100 * spectrum.white_share(side)},
        "highest_log_amplitude": asdict(highest(seen)) | {"unit": "nats"},
        "frequencies": list(spectrum.frequencies(side)),
        "log_amplitudes": seen.log_amplitudes.mean(0).tolist(),
    }


def _told(contrasts: Mapping[str, Difference]) -> dict[str, int]:
    """By block: -1 or 1 where a difference is told apart from 0, and 0 elsewhere."""
    return {name: (1 if each.value > 0 else -1) if each.told_apart else 0 for name, each in contrasts.items()}


def _in(signs: Mapping[str, int], lower: str, higher: str, neither: str) -> str:
    """In which blocks something is lower, in which higher, and in which neither can be told."""
    found = {
        words: [name for name, own in signs.items() if own == sign]
        for words, sign in ((lower, -1), (higher, 1), (neither, 0))
    }
    return ", ".join(
        f"{words} in block{'' if len(names) == 1 else 's'} {_listed(names)}" for words, names in found.items() if names
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
