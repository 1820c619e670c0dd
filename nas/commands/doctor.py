"""The command `nas doctor`: what this machine can measure, what is missing, and how to get it."""

import importlib.metadata
import platform
import sys
from collections.abc import Sequence
from typing import Any

import evaluators
from evaluators import Evaluator
from evaluators.core import locks
from evaluators.stopwatch import noise
from evaluators.targets import cpu
from nas import __version__, console
from nas.progress import progress
from nas.search.search import needs_training
from results.store.store import Store
from search_spaces.common.errors import NasError

PACKAGES = (
    "torch", "timm", "optuna", "fvcore", "onnx", "onnxruntime", "coremltools", "tensorrt", "cuda-python", "pandas",
    "plotly", "numpy", "SQLAlchemy",
)  # fmt: skip


LEARNS = "it learns from networks that a run with --data trains"


def examine(store_url: str, latencies: Sequence[str], *, quick: bool, as_json: bool) -> int:
    """Reports on this machine. Returns 1 where no latency can be measured, or one that was named cannot."""
    examined = [evaluators.get(name) for name in evaluators.names()]
    examined += [evaluators.get(spec, "latency") for spec in latencies]
    with progress("examining this machine", len(examined) + (not quick)) as done:
        states = []
        for evaluator in examined:
            states.append(_state(evaluator))
            done(len(states), evaluator.spec)
        noise_report = None if quick else _noise()
    requested = states[len(states) - len(latencies) :]
    report: dict[str, Any] = {
        "nas": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "cpu": {**cpu.device().facts, **cpu.state()},
        "packages": {name: _version(name) for name in PACKAGES},
        "noise": noise_report,
        "evaluators": states,
        "store": {"url": store_url, "state": _store(store_url)},
    }
    if as_json:
        console.write_json(report)
    else:
        _write(report)
    has_latency = any(state["family"] == "latency" and state["ready"] for state in states)
    return 0 if has_latency and all(state["ready"] for state in requested) else 1


def _noise() -> dict[str, Any] | None:
    """The result of the noise test; None while another process measures, since the two would disturb each other."""
    machine = locks.device("machine")
    if not machine.take():
        console.say(f"noise: not tested, {machine.path} is held by {machine.holder()}")
        return None
    try:
        return noise.self_test().to_dict()
    finally:
        machine.release()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _state(evaluator: Evaluator) -> dict[str, Any]:
    learns = needs_training(evaluator)
    reason = None if learns else evaluator.missing()
    versions = {} if reason else evaluator.versions()
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    detail = "" if reason else f"{evaluator.device().label}{f' ({packages})' if packages else ''}"
    return {
        "evaluator": evaluator.name() if learns else evaluator.spec,
        "family": evaluator.family(),
        "place": str(evaluator.place),
        "ready": reason is None,
        "detail": reason.message if reason else detail + (f"; {LEARNS}" if learns else ""),
        "versions": versions,
        "to enable": reason.hint if reason else "",
    }


def _store(url: str) -> str:
    try:
        store = Store(url)
        names = store.names()
        store.close()
        return f"{len(names)} runs"
    except NasError as error:
        return error.message


def _write(report: dict[str, Any]) -> None:
    facts = report["cpu"]
    console.say(f"nas {report['nas']}, Python {report['python']}, {report['system']}")
    console.say(
        f"{facts['model']}, {facts['cores']} cores, load {facts['load']}, governor {facts['governor'] or 'unknown'}"
    )
    console.say(", ".join(f"{name} {version or 'not installed'}" for name, version in report["packages"].items()))
    console.say(f"store {report['store']['url']}: {report['store']['state']}")
    if facts["load"] and facts["load"] > 0.5 * facts["cores"]:
        console.say(
            "warning: this machine is busy: latencies measured now may be slow, and are flagged. Close other programs."
        )
    if report["noise"]:
        console.say(f"noise: {report['noise']['sentence']}")
    rows = (
        [state["evaluator"], state["family"], "yes" if state["ready"] else "no", state["detail"]]
        for state in report["evaluators"]
    )
    console.write_table(["evaluator", "family", "ready", "detail"], rows)
    for state in report["evaluators"]:
        if not state["ready"]:
            console.say(f"to enable {state['evaluator']}: {state['to enable']}")
