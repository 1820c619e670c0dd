"""Claims about Next-ViT that published tables alone settle: a function for each, from the numbers of this room.

A claim holds here if the published numbers say so, by the criterion of its function's docstring; where intervals
decide and include 0, it is open (None).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from results.reference.comparisons import (
    Number,
    chosen,
    correlations,
    difference,
    distinct,
    dominators,
    number,
    on_front,
)
from results.reference.facts import IMAGENET, SIZES, Fact, Source, accuracy, facts, latencies, settings, sources
from results.reference.tables import across_devices, timm, training_curves

FIGURE_ERROR = 0.06  # ms: how far marks of the figure are from the README's latencies on the T4, at the most
EARLY = ("t4-trt8", "iphone12-coreml5")  # the paper's own settings, of 2022
GPUS = ("3090-nchw", "3090-nhwc", "4090-nchw", "4090-compiled", "5090-compiled")
CPUS = ("i9-10940x", "i7-12700h")
PARTS = (0, 50, 100, 150, 200, 250, 300)  # epochs
WEIGHTS = {"next-vit-s": "nextvit_small", "next-vit-b": "nextvit_base", "next-vit-l": "nextvit_large"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What numbers say of a claim."""

    claim: str
    holds: bool | None  # None: the numbers do not decide
    numbers: tuple[Number, ...]
    sources: tuple[Source, ...] = ()
    remark: str = ""  # what to bear in mind

    def number(self, name: str) -> Number:
        """One of its numbers, by name."""
        return next(each for each in self.numbers if each.name == name)


def stage_3_depth_saturates() -> Finding:
    """Deeper stages 3 gain less and less: it holds if L gains less over B than B over S in most published measures."""
    gains = {key: _gains(values) for key, values in _measured_of_all().items()}
    smaller = sum(second < first for first, second in gains.values())
    lower = sum(second < 0 for _, second in gains.values())
    small, base, large = (_top1(model) for model in SIZES)
    times = [_published("t4-trt8", model) for model in SIZES]
    return Finding(
        claim="more depth in stage 3 saturates",
        holds=2 * smaller > len(gains),
        numbers=(
            difference("top-1 of B over S", base, small),
            difference("top-1 of L over B", large, base),
            Number(name="time of B over S on a T4", value=times[1] - times[0], unit="ms"),
            Number(name="time of L over B on a T4", value=times[2] - times[1], unit="ms"),
            Number(name="measures in which L gains less over B than B over S", value=smaller, n=len(gains)),
            Number(name="measures in which L is below B", value=lower, n=len(gains)),
        ),
        sources=_from("next-vit", "timm"),
        remark="the measures share networks and data, so they are no independent votes",
    )


def small_is_as_fast_as_resnet_101() -> Finding:
    """Next-ViT-S is as fast as ResNet-101, and more accurate: it holds if their times on the T4 are within 5 % with the
    error of the figure, and the interval of the difference in top-1 is above 0."""
    other = next(fact for fact in latencies("ResNet-101") if fact.setting == settings()["t4-trt8"])
    own, rival = _published("t4-trt8", SIZES[0]), other.value
    ends = [own / (rival + error) for error in (FIGURE_ERROR, -FIGURE_ERROR)]
    t4 = Number(name="time over ResNet-101's on a T4", value=own / rival, low=ends[0], high=ends[1])
    gain = difference("top-1 over ResNet-101's", _top1(SIZES[0]), _top1("ResNet-101"))
    table = across_devices()
    rows = table.row("nextvit_small"), table.row("resnet101")
    elsewhere = [
        Number(name=f"time over ResNet-101's on {settings()[key].label}", value=float(times[rows[0]] / times[rows[1]]))
        for key, times in table.times.items()
        if key != "t4-trt8"
    ]
    return Finding(
        claim="Next-ViT-S takes as long as ResNet-101 on a T4, and is 1.7 points better",
        holds=max(abs(end - 1) for end in ends) <= 0.05 and (gain.low or 0) > 0,
        numbers=(gain, t4, *elsewhere),
        sources=_from("next-vit", "next-vit-figure", "timm"),
        remark="that the mark is ResNet-101's is inferred from family and accuracy",
    )


def ranks_do_not_transfer() -> Finding:
    """Latency ranks of the paper's devices hold less on GPUs of today than theirs hold on each other: it holds if both
    of the paper's devices correlate less with those GPUs, on average, than they with each other, with intervals."""
    numbers, gains = [], []
    for early in EARLY:
        table = chosen(across_devices(), np.isfinite(across_devices().times[early]))
        keys = (early, *GPUS, *CPUS)
        drawn = correlations(table.model, [table.times[key] for key in keys])
        known = {pair: drawn[:, keys.index(pair[0]), keys.index(pair[1])] for pair in combinations(keys, 2)}
        wanted = [pair for pair in known if early in pair or (early == EARLY[0] and set(pair) <= set(GPUS))]
        numbers += [number(_pair(*pair), known[pair], len(table.model)) for pair in wanted]
        there = np.mean([known[pair] for pair in combinations(GPUS, 2)], 0)
        gain = there - np.mean([known[early, key] for key in GPUS], 0)
        label = settings()[early].label
        gains.append(number(f"GPUs among each other over {label} with GPUs", gain, len(table.model)))
    both = chosen(across_devices(), np.isfinite(across_devices().times[EARLY[1]]))
    drawn = correlations(both.model, [both.times[key] for key in EARLY])
    return Finding(
        claim="latency ranks do not transfer from the paper's devices to GPUs of today",
        holds=_all_positive(gains),
        numbers=(*gains, number(_pair(*EARLY), drawn[:, 0, 1], len(both.model)), *numbers),
        sources=_from("next-vit", "next-vit-figure", "timm"),
        remark="the models of the paper's figure; large batches on GPUs, batch 1 on CPUs; of the iPhone, few families",
    )


def activations_predict_gpus() -> Finding:
    """Activations rank GPU latencies better than MACs do, and CPU latencies worse: it holds if the intervals of both
    differences are above 0."""
    table, (gpu, cpu) = distinct(timm()), ("4090-compiled", "i7-12700h")
    names = ("MACs", "activations", gpu, cpu)
    drawn = correlations(table.model, [table.macs, table.activations, table.times[gpu], table.times[cpu]])
    known = {(count, key): drawn[:, names.index(count), names.index(key)] for count in names[:2] for key in names[2:]}
    rows = len(table.model)
    gains = [
        number(f"{better} over {worse} on {settings()[key].label}", known[better, key] - known[worse, key], rows)
        for better, worse, key in (("activations", "MACs", gpu), ("MACs", "activations", cpu))
    ]
    numbers = [
        number(f"Spearman of {count} and time on {settings()[key].label}", values, rows)
        for (count, key), values in known.items()
    ]
    return Finding(
        claim="activations predict GPU latency better than MACs, and MACs CPU latency better",
        holds=_all_positive(gains),
        numbers=(*gains, *numbers),
        sources=_from("timm"),
    )


def short_training_misranks() -> Finding:
    """Networks cut off early in a long schedule stand in another order than at its end: it holds if S, B and L never
    stand in their final order in the first sixth of their schedule."""
    small, base, large = (training_curves().top1[model] for model in SIZES)
    ordered = (large > base) & (base > small)
    parts = [
        Number(
            name=f"epochs {first} to {end - 1} in the final order",
            value=float(ordered[first:end].mean()),
            n=end - first,
        )
        for first, end in pairwise(PARTS)
    ]
    settled = int(np.flatnonzero(~ordered)[-1]) + 1
    return Finding(
        claim="short training ranks networks of different sizes wrongly",
        holds=parts[0].value == 0,
        numbers=(*parts, Number(name="first epoch from which on the order is final", value=settled, n=len(ordered))),
        sources=_from("next-vit"),
        remark="one long schedule that is cut off; a short schedule of its own ends differently",
    )


def backends_change_the_winner() -> Finding:
    """Which networks are on the front depends on compiler and memory layout: it holds if either changes the front of
    the paper's models."""
    table = chosen(across_devices(), across_devices().size == 224)
    numbers, changes = [], []
    for name, before, after in (("compiled", "4090-nchw", "4090-compiled"), ("NHWC", "3090-nchw", "3090-nhwc")):
        gains = dict(zip(table.model, map(float, table.times[before] / table.times[after]), strict=True))
        gains |= _facts_of(before, after)
        for model in sorted({min(gains, key=gains.__getitem__), "nextvit_small", max(gains, key=gains.__getitem__)}):
            numbers.append(Number(name=f"speed of {model}, {name}", value=gains[model], unit="times"))
        fronts = [on_front(table, key) for key in (before, after)]
        drawn = correlations(table.model, [table.times[before], table.times[after]])
        changes.append(len(fronts[0] ^ fronts[1]))
        numbers += [
            number(_pair(before, after), drawn[:, 0, 1], len(table.model)),
            Number(name=f"networks on one of both fronts, {name}", value=changes[-1], n=len(fronts[0] | fronts[1])),
        ]
    return Finding(
        claim="eager, compiled and memory layout change the winner",
        holds=any(changes),
        numbers=tuple(numbers),
        sources=_from("timm", "next-vit-figure"),
    )


def next_vit_is_dominated() -> Finding:
    """Next-ViT is on no front of timm's models: it holds if S, B and L are each dominated in every setting and size.

    Counted are weights that were trained with the images and labels of ImageNet-1k alone, and are as fast and as
    accurate, and better in one of both.
    """
    table = chosen(timm(), timm().labels_alone)
    numbers = [
        Number(
            name=f"dominators of {model} at {pixels} pixels on {settings()[key].label}",
            value=dominators(table, key, table.row(f"{weights}.bd_in1k{'_384' if pixels == 384 else ''}", pixels)),
            n=len(table.model),
        )
        for key in table.times
        for pixels in (224, 384)
        for model, weights in WEIGHTS.items()
    ]
    return Finding(
        claim="Next-ViT is dominated on all fronts of timm's models",
        holds=all(number.value > 0 for number in numbers),
        numbers=tuple(numbers),
        sources=_from("timm"),
    )


# By the number of the claim in the research notes on Next-ViT.
CLAIMS: dict[int, Callable[[], Finding]] = {
    9: stage_3_depth_saturates,
    10: small_is_as_fast_as_resnet_101,
    12: ranks_do_not_transfer,
    13: activations_predict_gpus,
    14: short_training_misranks,
    15: backends_change_the_winner,
    18: next_vit_is_dominated,
}


def _from(*keys: str) -> tuple[Source, ...]:
    return tuple(sources()[key] for key in keys)


def _all_positive(gains: Sequence[Number]) -> bool | None:
    """Whether the intervals of all gains are above 0; None where one of them includes 0, and none is below."""
    if any((gain.high or 0) < 0 for gain in gains):
        return False
    return True if all((gain.low or 0) > 0 for gain in gains) else None


def _pair(first: str, second: str) -> str:
    return f"Spearman of {settings()[first].label} and {settings()[second].label}"


def _top1(model: str) -> float:
    fact = accuracy(model)
    assert fact, model
    return fact.value


def _published(setting: str, model: str) -> float:
    """A published latency at 224 pixels, in ms."""
    return next(fact.value for fact in latencies(model) if fact.setting == settings()[setting])


def _measured_of_all() -> dict[tuple[str, str, int | None, Source], list[float]]:
    """Every accuracy, AP and mIoU that is published of S, B and L, by measure."""
    found: dict[tuple[str, str, int | None, Source], dict[str, float]] = {}
    for fact in facts():
        if fact.model in SIZES and fact.setting is None and _is_quality(fact):
            found.setdefault((fact.what, fact.metric, fact.resolution, fact.source), {})[fact.model] = fact.value
    return {key: [values[model] for model in SIZES] for key, values in found.items() if len(values) == len(SIZES)}


def _is_quality(fact: Fact) -> bool:
    return fact.metric == "top-1" or fact.metric in ("box AP", "mask AP") or fact.metric.endswith("mIoU")


def _gains(values: Sequence[float]) -> tuple[float, float]:
    """Of B over S, and of L over B; rounded, so that equal gains are equal."""
    small, base, large = values
    return round(base - small, 3), round(large - base, 3)


def _facts_of(before: str, after: str) -> dict[str, float]:
    """How many times faster single models of the facts are in one setting than in another."""
    times: dict[str, dict[str, float]] = {}
    for fact in facts():
        if fact.what == IMAGENET and fact.metric == "throughput" and fact.setting and fact.model not in SIZES:
            times.setdefault(fact.model, {})[fact.setting.key] = fact.value
    return {model: of[after] / of[before] for model, of in times.items() if {before, after} <= of.keys()}
