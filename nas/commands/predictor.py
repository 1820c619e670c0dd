"""The command `nas predictor`: how well a latency can be predicted from what the database holds."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import evaluators
from evaluators.prediction.predicted import Predicted
from nas import console
from nas.search.latency_predictions import USUAL_SAMPLE, Pairs, learnable, predictor, sampling
from results.store.store import Store
from search_spaces.common.errors import NegativeAnswer


def examine(store_url: str, spec: str, *, as_json: bool) -> int:
    """Judges a predictor for each device on which a latency was measured. Returns 1 where none has enough networks."""
    evaluator = evaluators.get(spec, "latency")
    if isinstance(evaluator, Predicted):
        evaluator = evaluator.inner
    store = Store(store_url)
    try:
        by_context = learnable(store, evaluator.local.spec)
    finally:
        store.close()
    if not by_context:
        raise NegativeAnswer(
            f"the database has no measurement of {spec}", f"measure first: {sampling(USUAL_SAMPLE, spec)}"
        )
    judgements = [_judgement(context, pairs) for context, pairs in by_context.items()]
    if as_json:
        console.write_json({"latency": spec, "devices": judgements})
    else:
        _write(spec, judgements)
    return 0 if any(judgement["held out"] for judgement in judgements) else 1


def _judgement(context: str, pairs: Pairs) -> dict[str, Any]:
    from evaluators.prediction.latency_predictor import FEWEST

    example = pairs[0][1]
    quality = predictor(pairs).held_out() if len(pairs) >= FEWEST else None
    return {
        "context": context,
        "device": example.device.id,
        "label": example.device.label,
        "versions": example.versions,
        "measurements": len(pairs),
        "held out": asdict(quality) if quality else None,
        "refusal": "" if quality else f"needs {FEWEST} measured networks: {sampling(2 * FEWEST, example.metric.name)}",
    }


def _write(spec: str, judgements: Sequence[dict[str, Any]]) -> None:
    console.say(f"{spec}, predicted; errors on networks that were held out, in tenfold cross-validation")
    headings = ["device", "", "measured", "mean error", "90 % below", "within 10 %", "Spearman", "90 % interval holds"]
    console.write_table(headings, map(_row, judgements), frozenset(headings[2:]))
    for judgement in judgements:
        if not judgement["held out"]:
            console.say(f"{judgement['label']}: {judgement['refusal']}")


def _row(judgement: dict[str, Any]) -> list[str]:
    quality = judgement["held out"]
    versions = " ".join(f"{name} {version}" for name, version in judgement["versions"].items())
    head = [judgement["device"][:6], f"{judgement['label']}, {versions}", str(judgement["measurements"])]
    if not quality:
        return [*head, *["-"] * 5]
    shares = [f"{quality[name]:.1%}" for name in ("mean_error", "p90_error", "within_10_percent")]
    return [*head, *shares, f"{quality['spearman']:.3f}", f"{quality['coverage']:.0%} of the time"]
