"""Predicting latencies from what the database holds: fitting for a search, and the command `nas predictor`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import evaluators
from evaluators import Evaluator, Measurement
from evaluators.prediction.predicted import Knowledge, Predicted
from nas import console
from nas.progress import progress
from results.store.store import Store
from search_spaces import Architecture
from search_spaces.common.errors import NegativeAnswer, UsageError

if TYPE_CHECKING:
    from evaluators.prediction.latency_predictor import Predictor

Pairs = Sequence[tuple[Architecture, Measurement]]
Pins = dict[str, dict[str, Any]]  # by spec: the context and the networks from which a run's predictor learns


def fitted(store: Store, wanted: Iterable[Evaluator], pins: Mapping[str, Any] | None = None) -> list[Evaluator]:
    """The evaluators, those that predict fitted on the store; `pins` keep a run to what it learnt from at first.

    Raises:
        NegativeAnswer: nothing was measured that they could learn from, or too little.
        UsageError: measurements of several devices are there, and none was named.
    """
    pins = pins or {}
    return [_fitted(store, each, pins.get(each.spec)) if isinstance(each, Predicted) else each for each in wanted]


def ready(store_url: str, wanted: Sequence[Evaluator], pins: Mapping[str, Any] | None = None) -> list[Evaluator]:
    """The evaluators before a run is opened: those that predict, fitted on what the database holds now."""
    if not any(isinstance(each, Predicted) for each in wanted):
        return list(wanted)
    store = Store(store_url)
    try:
        return fitted(store, wanted, pins)
    finally:
        store.close()


def pins(wanted: Iterable[Evaluator]) -> Pins:
    """What fitted predictors learnt from, as plain data for a run's configuration."""
    known = {each.spec: each.knowledge for each in wanted if isinstance(each, Predicted)}
    return {spec: {"context": k.context, "networks": list(k.networks)} for spec, k in known.items() if k}


def _fitted(store: Store, evaluator: Predicted, pin: Mapping[str, Any] | None) -> Predicted:
    by_context = store.measured(evaluator.inner.local.spec)
    context = pin["context"] if pin else _choice(evaluator, by_context)
    pairs = by_context.get(context, [])
    if pin:
        wanted = set(pin["networks"])
        pairs = [pair for pair in pairs if pair[0].id in wanted]
        if not pairs:
            raise NegativeAnswer(
                f"the measurements of {evaluator.inner.spec} that this run learnt from are not in the database",
                "bring them back with nas merge, or start a new run without --name",
            )
    knowledge = Knowledge(
        context=context,
        networks=tuple(architecture.id for architecture, _ in pairs),
        example=pairs[0][1],
        predictor=_predictor(pairs),
    )
    return replace(evaluator, knowledge=knowledge)


def _predictor(pairs: Pairs) -> "Predictor":
    from evaluators.prediction.latency_predictor import (  # scipy takes half a second, and few runs predict
        FITS,
        Predictor,
    )

    resolution = int(pairs[0][1].protocol.get("resolution", 224)) if pairs else 224
    with progress(f"learning from {len(pairs)} measurements", FITS) as done:
        return Predictor([pair[0] for pair in pairs], [pair[1].value for pair in pairs], resolution, done)


def _choice(evaluator: Predicted, by_context: Mapping[str, Pairs]) -> str:
    """The one context to learn from: that of the named device, or the only one there is."""
    named = {c: p for c, p in by_context.items() if p[0][1].device.id.startswith(evaluator.which)}
    spec = evaluator.inner.spec
    if not named:
        raise NegativeAnswer(
            f"the database has no measurement of {spec}{f' on a device {evaluator.which}' if evaluator.which else ''}",
            f"measure on that device: {_measure(40, spec)}, or nas merge its database",
        )
    if len(named) > 1 and len({pairs[0][1].device.id for pairs in named.values()}) > 1:
        devices = {pairs[0][1].device.id[:6]: pairs[0][1].device.label for pairs in named.values()}
        listing = "\n    ".join(f"predicted={short}  {label}" for short, label in devices.items())
        raise UsageError(f"{spec} was measured on several devices: which one?", f"name it:\n    {listing}")
    return max(named, key=lambda context: len(named[context]))  # several versions of one device: the best known


def examine(store_url: str, spec: str, *, as_json: bool) -> int:
    """Judges a predictor for each device on which a latency was measured. Returns 1 where none has enough."""
    evaluator = evaluators.get(spec, "latency")
    if isinstance(evaluator, Predicted):
        evaluator = evaluator.inner
    store = Store(store_url)
    try:
        by_context = store.measured(evaluator.local.spec)
    finally:
        store.close()
    if not by_context:
        raise NegativeAnswer(f"the database has no measurement of {spec}", f"measure first: {_measure(40, spec)}")
    judged = [_judged(context, pairs) for context, pairs in by_context.items()]
    if as_json:
        console.write_json({"latency": spec, "devices": judged})
    else:
        _write(spec, judged)
    return 0 if any(each["held out"] for each in judged) else 1


def _judged(context: str, pairs: Pairs) -> dict[str, Any]:
    from evaluators.prediction.latency_predictor import FEWEST

    example = pairs[0][1]
    quality = _predictor(pairs).held_out() if len(pairs) >= FEWEST else None
    return {
        "context": context,
        "device": example.device.id,
        "label": example.device.label,
        "versions": example.versions,
        "measurements": len(pairs),
        "held out": asdict(quality) if quality else None,
        "refusal": "" if quality else f"needs {FEWEST} measured networks: {_measure(2 * FEWEST, example.metric.name)}",
    }


def _write(spec: str, judged: Sequence[dict[str, Any]]) -> None:
    console.say(f"{spec}, predicted; errors on networks that were held out, in tenfold cross-validation")
    headings = ["device", "", "measured", "mean error", "90 % below", "within 10 %", "Spearman", "90 % interval holds"]
    console.write_table(headings, (_row(each) for each in judged), frozenset(headings[2:]))
    for each in judged:
        if not each["held out"]:
            console.say(f"{each['label']}: {each['refusal']}")


def _measure(count: int, spec: str) -> str:
    """The command that measures so many random networks."""
    return console.command("measure", "--sample", str(count), "--latency", spec)


def _row(each: dict[str, Any]) -> list[str]:
    quality, versions = each["held out"], " ".join(f"{name} {version}" for name, version in each["versions"].items())
    head = [each["device"][:6], f"{each['label']}, {versions}", str(each["measurements"])]
    if not quality:
        return [*head, *["-"] * 5]
    shares = [f"{quality[name]:.1%}" for name in ("mean_error", "p90_error", "within_10_percent")]
    return [*head, *shares, f"{quality['spearman']:.3f}", f"{quality['coverage']:.0%} of the time"]
