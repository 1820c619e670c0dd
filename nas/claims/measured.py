"""What the stopwatch says of claims: a function for each, from latencies that are measured once and stored.

Networks of one claim have equal depths and widths, so that nothing but what the claim is about differs. Two networks
are compared in pairs of measurements; more are ordered by their latencies, each from two processes at the least.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from evaluators import Measurement
from evaluators.counts.formula import total
from evaluators.statistics import ranking
from evaluators.statistics.intervals import normal
from nas.strategies.equal_latency import level
from nas.strategies.stored_latency import StoredLatency
from results.reference.claims import Finding
from results.reference.comparisons import Number
from search_spaces import PAPER, Architecture, Stage
from search_spaces.nextvit.architecture import PAPER_WIDTHS
from search_spaces.strategies.catalogue import RATIOS
from search_spaces.strategies.strategy import SCALINGS, Strategy

AS_S = SCALINGS["as-s"]
NEXT_VIT_S = PAPER["next-vit-s"]
EQUAL_WIDTHS = (128, 192, 384, 768)  # of all blocks: stage 1 is 128 wide, so that an NTB with r = 0.75 fits in
PATTERNS = ("CCCC", "CCCT", "CCTT", "CTTT", "TTTT", "CHHH", "HHHH")
SAME = 0.02  # two orders of one block are equally fast if they are within 2 %
EQUAL_STEP = 0.25  # two steps in depth are equally long if they are within 25 %
LARGER = 12 / 7  # from 224 to 384 pixels, both multiples of 32
DRAWS = 1000
PLATFORMS = {"ort": "MACs", "trt": "activations", "cuda": "activations"}  # by latency: what should rank it better


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """How a claim is measured, and in about how many processes of a few seconds."""

    settle: Callable[[StoredLatency], Finding]
    processes: int


def smaller_shares_are_faster(stopwatch: StoredLatency) -> Finding:
    """It holds if r = 0 is faster than r = 1 with its interval, and no r is told apart as faster than the next
    smaller one."""
    made = {ratio: stopwatch.again(Strategy(name="", ratio=ratio).network(AS_S, 1.0)) for ratio in RATIOS}
    steps = [_ratio(f"time at r = {high:g} over r = {low:g}", made[low], made[high]) for low, high in pairwise(RATIOS)]
    ends = _ratio("time at r = 1 over r = 0", made[0.0], made[1.0])
    reversed_step = any(_high(step) < 1 for step in (ends, *steps))
    return Finding(
        claim="at equal depths and widths, a smaller r is faster",
        holds=False if reversed_step else (True if _low(ends) > 1 else None),
        numbers=(ends, *steps, *(_time(f"time at r = {ratio:g}", each) for ratio, each in made.items())),
    )


def layer_norm_and_gelu_are_slower(stopwatch: StoredLatency) -> Finding:
    """It holds if Next-ViT-S with both is told apart as slower than with batch norm and ReLU."""
    variants = {
        "layer norm and GELU": replace(NEXT_VIT_S, normalization="layer", activation="gelu"),
        "layer norm": replace(NEXT_VIT_S, normalization="layer"),
        "GELU": replace(NEXT_VIT_S, activation="gelu"),
    }
    pairs = {name: stopwatch.pair(NEXT_VIT_S, network) for name, network in variants.items()}
    return Finding(
        claim="Next-ViT-S with layer norm and GELU is slower",
        holds=_slower(pairs["layer norm and GELU"]),
        numbers=tuple(_pair(f"time with {name} over batch norm and ReLU", each) for name, each in pairs.items()),
        remark="batch norms vanish when a network is deployed, layer norms do not",
    )


def order_costs_nothing(stopwatch: StoredLatency) -> Finding:
    """It holds if the interval of the ratio of both orders lies within 2 % of 1."""
    made = stopwatch.pair(NEXT_VIT_S, replace(NEXT_VIT_S, transformer_order="convolution-first"))
    return Finding(
        claim="both orders take the same time, within 2 %",
        holds=_within(made.low, made.high, SAME),
        numbers=(_pair("time with convolution first over attention first", made),),
        remark="a premise: then networks of equal width have equal latency",
    )


def steps_in_depth_take_as_long(stopwatch: StoredLatency) -> Finding:
    """It holds if the interval of the time from B to L over that from S to B lies within 25 % of 1."""
    small, base, large = (stopwatch.again(PAPER[name]) for name in ("next-vit-s", "next-vit-b", "next-vit-l"))
    logs = _draws([small, base, large])
    times = np.exp(logs - logs[0, 0])  # (1 + draws, 3), in units of S
    steps = (times[:, 2] - times[:, 1]) / (times[:, 1] - times[:, 0])
    step = _drawn("time of L over B, over that of B over S", steps, n=1)
    return Finding(
        claim="ten more blocks in stage 3 cost as much from B to L as from S to B, within 25 %",
        holds=_within(_low(step), _high(step), EQUAL_STEP),
        numbers=(
            replace(step, unit="times"),
            _ratio("time of B over S", small, base),
            _ratio("time of L over S", small, large),
            *(_time(f"time of {name}", each) for name, each in (("S", small), ("B", base), ("L", large))),
        ),
    )


def macs_rank_strategies_backwards(stopwatch: StoredLatency) -> Finding:
    """It holds if the interval of Spearman's correlation of MACs and latency is below 0; it comes from the errors of
    the latencies alone, because the strategies are these and no sample."""
    networks = {pattern: _equally_wide(pattern) for pattern in PATTERNS}
    made = {pattern: stopwatch.again(network) for pattern, network in networks.items()}
    macs, activations = (np.array(each) for each in zip(*map(_counts(stopwatch), networks.values()), strict=True))
    logs = _draws(list(made.values()))
    correlations = {
        name: _drawn(f"Spearman of {name} and latency", np.array([ranking.rho(values, row) for row in logs]), len(made))
        for name, values in (("MACs", macs), ("activations", activations))
    }
    kendall = np.array([ranking.tau(macs, row) for row in logs])
    order = list(PATTERNS)
    return Finding(
        claim="MACs and measured latency of strategies rank in opposite orders",
        holds=_sign(correlations["MACs"], positive=False),
        numbers=(
            correlations["MACs"],
            _drawn("Kendall of MACs and latency", kendall, len(made)),
            correlations["activations"],
            Number(name="MACs of TTTT over CCCC", value=float(macs[order.index("TTTT")] / macs[0]), unit="by count"),
            _ratio("time of TTTT over CCCC", made["CCCC"], made["TTTT"]),
            *(_time(f"time of {pattern}", each) for pattern, each in made.items()),
        ),
        remark=f"the blocks of the four stages are {', '.join(map(str, EQUAL_WIDTHS))} channels wide; intervals are "
        "those of the latencies, for these strategies alone",
    )


def counts_rank_latencies_here(stopwatch: StoredLatency) -> Finding:
    """It holds if what is expected to rank latencies better on such a device does so in Kendall's tau, with the paired
    interval of a bootstrap over the networks; at least ten have to be in the database."""
    context = stopwatch.latency.context()
    pairs = stopwatch.store.measured(stopwatch.latency.metric.name).get(context, [])
    known = [(network, measured) for network, measured in pairs if isinstance(network, Architecture)]
    expected = PLATFORMS.get(stopwatch.latency.name())
    claim = f"{expected or 'MACs'} rank the latencies of this database better"
    if len(known) < ranking.FEWEST or expected is None:
        problem = f"{len(known)} networks were measured here, and {ranking.FEWEST} are needed"
        return Finding(
            claim=claim, holds=None, numbers=(), remark=problem if expected else "it says nothing of such devices"
        )
    latencies = np.array([measurement.value for _, measurement in known])
    counted = zip(*map(_counts(stopwatch), (network for network, _ in known)), strict=True)
    columns = dict(zip(("MACs", "activations"), map(np.array, counted), strict=True))
    other = next(name for name in columns if name != expected)
    gain = ranking.tau_gain(columns[expected], columns[other], latencies)
    numbers = [_known(f"Kendall of {expected} over that of {other}", gain, len(known))]
    for name, values in columns.items():
        numbers.append(
            _known(f"Kendall of {name} and latency here", ranking.tau_interval(values, latencies), len(known))
        )
    return Finding(
        claim=claim,
        holds=_sign(numbers[0], positive=True),
        numbers=tuple(numbers),
        remark="of the networks that happen to be in the database, in which depth, width and pattern vary together",
    )


def squares_are_faster(stopwatch: StoredLatency) -> Finding:
    """It holds if squares are told apart as faster at the larger resolution."""
    squares = replace(NEXT_VIT_S, attention_pooling="squares")
    base = int(stopwatch.latency.protocol().get("resolution", 224))
    large = round(base * LARGER / 32) * 32
    pairs = {pixels: stopwatch.at(pixels).pair(NEXT_VIT_S, squares) for pixels in (base, large)}
    slower = _slower(pairs[large])
    return Finding(
        claim=f"squares are faster than rows at {large} pixels",
        holds=None if slower is None else not slower,
        numbers=tuple(_pair(f"time with squares over rows at {pixels} pixels", each) for pixels, each in pairs.items()),
    )


# By the number of the claim. Without processes, an experiment reads what the others have measured.
MEASURED: Mapping[int, Experiment] = {
    5: Experiment(settle=smaller_shares_are_faster, processes=10),
    6: Experiment(settle=layer_norm_and_gelu_are_slower, processes=18),
    8: Experiment(settle=order_costs_nothing, processes=6),
    9: Experiment(settle=steps_in_depth_take_as_long, processes=6),
    11: Experiment(settle=macs_rank_strategies_backwards, processes=14),
    16: Experiment(settle=squares_are_faster, processes=12),
    13: Experiment(settle=counts_rank_latencies_here, processes=0),
}


def _equally_wide(pattern: str) -> Architecture:
    strategy = Strategy(name=pattern, stages=pattern)
    return Architecture(
        stages=tuple(
            Stage(
                blocks=strategy.blocks(index, depth),
                conv_width=width,
                transformer_width=width,
                mix_block_ratio=strategy.ratio,
                sr_ratio=sr_ratio,
            )
            for index, (depth, width, (_, _, sr_ratio)) in enumerate(
                zip(AS_S.depths, EQUAL_WIDTHS, PAPER_WIDTHS, strict=True)
            )
        )
    )


def _counts(stopwatch: StoredLatency) -> Callable[[Architecture], tuple[float, float]]:
    """MACs and activations of a network, at the resolution of the latency."""
    resolution = int(stopwatch.latency.protocol().get("resolution", 224))

    def counted(network: Architecture) -> tuple[float, float]:
        done = total(network, resolution)
        return float(done.all_macs), float(done.activations)

    return counted


# Numbers


def _width(latency: Measurement) -> float:
    """Half the interval of a latency's logarithm."""
    return math.log(latency.high / latency.low) / 2


def _ratio(name: str, first: Measurement, second: Measurement) -> Number:
    """A ratio of two latencies with its 95 % interval; the errors of their logarithms are independent."""
    middle, half = level(second) - level(first), math.hypot(_width(first), _width(second))
    ends = (math.exp(middle + each) for each in (0, -half, half))
    value, low, high = ends
    return Number(name=name, value=value, unit="times", low=low, high=high)


def _time(name: str, latency: Measurement) -> Number:
    return Number(name=name, value=latency.value, unit=latency.unit, low=latency.low, high=latency.high)


def _pair(name: str, made: Measurement) -> Number:
    return Number(name=name, value=made.value, unit="times", low=made.low, high=made.high, n=made.samples)


def _draws(latencies: Sequence[Measurement]) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Levels of latencies as they are, and then as they may be within their errors: (1 + draws, n)."""
    middle = np.array([level(each) for each in latencies])
    errors = np.array([_width(each) / normal() for each in latencies])
    random = np.random.default_rng(0)
    return np.vstack([middle, middle + errors * random.standard_normal((DRAWS, len(middle)))])


def _drawn(name: str, values: "np.ndarray[tuple[int], np.dtype[np.float64]]", n: int) -> Number:
    """The first of the values, with the interval of the others."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    value = float(values[0])
    return Number(name=name, value=value, low=min(value, float(low)), high=max(value, float(high)), n=n)


def _known(name: str, interval: ranking.Interval, n: int) -> Number:
    return Number(name=name, value=interval.value, low=interval.low, high=interval.high, n=n)


# Answers


def _low(number: Number) -> float:
    return -math.inf if number.low is None else number.low


def _high(number: Number) -> float:
    return math.inf if number.high is None else number.high


def _slower(made: Measurement) -> bool | None:
    """Whether the second of a pair is slower; None where they are not told apart."""
    return made.value > 1 if made.details["distinguishable"] else None


def _within(low: float, high: float, margin: float) -> bool | None:
    """Whether an interval lies within a margin around 1; False where it lies outside, None where it does both."""
    if low > 1 + margin or high < 1 - margin:
        return False
    return True if low >= 1 - margin and high <= 1 + margin else None


def _sign(number: Number, *, positive: bool) -> bool | None:
    """Whether an interval lies on that side of 0; None where it includes 0."""
    if _low(number) > 0:
        return positive
    return not positive if _high(number) < 0 else None
