"""Latencies predicted from what the database holds: the predictors of a run are fitted here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evaluators import Evaluator, Measurement
from evaluators.prediction.predicted import Knowledge, Predicted
from nas import console
from nas.progress import progress
from results.store.store import Store
from search_spaces import Architecture, Network
from search_spaces.common.errors import NegativeAnswer, UsageError

if TYPE_CHECKING:
    from evaluators.prediction.latency_predictor import Predictor

Pairs = Sequence[tuple[Network, Measurement]]
Pins = dict[str, dict[str, Any]]  # by spec: the context and the networks that a run's predictor learns from
USUAL_SAMPLE = 40  # networks: enough for a predictor


def fitted(store: Store, evaluators: Iterable[Evaluator], pins: Mapping[str, Any] | None = None) -> list[Evaluator]:
    """The evaluators, with predictors fitted on the store; `pins` hold a resumed run to its first networks.

    Raises:
        NegativeAnswer: the database has no measurement to learn from, or too few.
        UsageError: it has measurements of several devices, and the spec names none.
    """
    pins = pins or {}
    return [
        _fitted(store, evaluator, pins.get(evaluator.spec)) if isinstance(evaluator, Predicted) else evaluator
        for evaluator in evaluators
    ]


def ready(store_url: str, evaluators: Sequence[Evaluator], pins: Mapping[str, Any] | None = None) -> list[Evaluator]:
    """The evaluators of a run that is about to start, with predictors fitted on the database as it is."""
    if not any(isinstance(evaluator, Predicted) for evaluator in evaluators):
        return list(evaluators)
    store = Store(store_url)
    try:
        return fitted(store, evaluators, pins)
    finally:
        store.close()


def pins(evaluators: Iterable[Evaluator]) -> Pins:
    """What fitted predictors learnt from, as plain data for a run's configuration."""
    predictors = (evaluator for evaluator in evaluators if isinstance(evaluator, Predicted))
    return {
        predictor.spec: {"context": predictor.knowledge.context, "networks": list(predictor.knowledge.networks)}
        for predictor in predictors
        if predictor.knowledge
    }


def _fitted(store: Store, evaluator: Predicted, pin: Mapping[str, Any] | None) -> Predicted:
    by_context = learnable(store, evaluator.inner.local.spec)
    context = pin["context"] if pin else _context(evaluator, by_context)
    pairs = by_context.get(context, [])
    if pin:
        networks = set(pin["networks"])
        pairs = [pair for pair in pairs if pair[0].id in networks]
        if not pairs:
            raise NegativeAnswer(
                f"the measurements of {evaluator.inner.spec} that this run learnt from are not in the database",
                "bring them back with nas merge, or start a new run without --name",
            )
    knowledge = Knowledge(
        context=context,
        networks=tuple(architecture.id for architecture, _ in pairs),
        example=pairs[0][1],
        predictor=predictor(pairs),
    )
    return replace(evaluator, knowledge=knowledge)


def learnable(store: Store, spec: str) -> dict[str, Pairs]:
    """What a predictor can learn from, by context: the networks of the Next-ViT family that were measured."""
    by_context = store.measured(spec)
    ours = {key: [pair for pair in pairs if isinstance(pair[0], Architecture)] for key, pairs in by_context.items()}
    return {key: pairs for key, pairs in ours.items() if pairs}


def predictor(pairs: Pairs) -> "Predictor":
    """A predictor fitted on measured networks."""
    from evaluators.prediction.latency_predictor import FITS, Predictor  # imports SciPy: half a second

    resolution = int(pairs[0][1].protocol.get("resolution", 224)) if pairs else 224
    with progress(f"learning from {len(pairs)} measurements", FITS) as done:
        return Predictor([pair[0] for pair in pairs], [pair[1].value for pair in pairs], resolution, done)


def _context(evaluator: Predicted, by_context: Mapping[str, Pairs]) -> str:
    """The context to learn from: that of the named device, or the only one."""
    candidates = {
        context: pairs for context, pairs in by_context.items() if pairs[0][1].device.id.startswith(evaluator.which)
    }
    spec = evaluator.inner.spec
    if not candidates:
        raise NegativeAnswer(
            f"the database has no measurement of {spec}{f' on a device {evaluator.which}' if evaluator.which else ''}",
            f"measure on that device: {sampling(USUAL_SAMPLE, spec)}, or nas merge its database",
        )
    devices = {pairs[0][1].device.id: pairs[0][1].device.label for pairs in candidates.values()}
    if len(devices) > 1:
        listing = "\n    ".join(f"predicted={device[:6]}  {label}" for device, label in devices.items())
        raise UsageError(f"{spec} was measured on several devices: which one?", f"name it:\n    {listing}")
    return max(candidates, key=lambda context: len(candidates[context]))  # of several versions, the best known


def sampling(count: int, spec: str) -> str:
    """The command that measures so many random networks."""
    return console.command("measure", "--sample", str(count), "--latency", spec)
