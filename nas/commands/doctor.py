"""The command `nas doctor`: what this machine can measure, what is missing, and how to get it."""

import importlib.metadata
import platform
import re
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import evaluators
from evaluators import Evaluator, Measurement
from evaluators.core import locks
from evaluators.prediction import published_table
from evaluators.stopwatch.calibration import ratio_of
from evaluators.stopwatch.noise import FEWEST, noise
from evaluators.targets import cpu
from evaluators.workers.bench import Bench
from nas import __version__, console
from nas.progress import progress
from nas.search.search import needs_training
from results.store.database_url import sqlite_path
from results.store.store import Store
from search_spaces import PAPER
from search_spaces.common.errors import NasError

PACKAGES = (
    "torch", "timm", "optuna", "fvcore", "onnx", "onnxruntime", "coremltools", "tensorrt", "cuda-python", "pandas",
    "plotly", "numpy", "SQLAlchemy",
)  # fmt: skip


SELF_TEST_SECONDS = 20.0
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
        noise_report = None if quick else _noise(store_url)
    requested = states[len(states) - len(latencies) :]
    report: dict[str, Any] = {
        "nas": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "cpu": {**cpu.device().facts, **cpu.state()},
        "packages": {name: _version(name) for name in PACKAGES},
        "published": _published(),
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


def _noise(store_url: str) -> dict[str, Any] | None:
    """How far Next-ViT-S repeats from process to process; None while another process measures: both would be disturbed.

    The measurements are stored if there is a database: repeats show how far processes differ on this device.
    """
    machine, latency, measurements = locks.device("machine"), evaluators.get("ort"), list[Measurement]()
    if latency.missing():
        return None
    if not machine.take():
        console.say(f"noise: not tested, {machine.path} is held by {machine.holder()}")
        return None
    machine.release()
    start = time.monotonic()
    with Bench(say=console.say) as bench:
        while time.monotonic() - start < SELF_TEST_SECONDS or len(measurements) < FEWEST:
            measurements.append(bench.measure(latency, PAPER["next-vit-s"]))
    path = sqlite_path(store_url)
    if path and path.exists():
        with closing(Store(store_url, writable=True)) as store:
            for measurement in measurements:
                store.remember(PAPER["next-vit-s"], measurement)
    known = noise([ratio for measurement in measurements if (ratio := ratio_of(measurement))])
    return known.to_dict() if known else None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _published() -> str:
    """How far the table of published networks reaches; empty if it is damaged, as its evaluator says."""
    origin = published_table.origin()
    if not origin:
        return ""
    known, installed = (list(map(int, re.findall(r"\d+", text)[:3])) for text in (origin, _version("timm") or "0"))
    newer = "; the installed timm is newer, and may have published results that it lacks" if installed > known else ""
    return f"published networks up to {origin}{newer}"


def _state(evaluator: Evaluator) -> dict[str, Any]:
    learns = needs_training(evaluator)
    reason = None if learns else evaluator.missing()
    versions = {} if reason else evaluator.versions()
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    detail = "" if reason else f"{evaluator.device().label}{f' ({packages})' if packages else ''}"
    return {
        "evaluator": evaluator.name() if learns else evaluator.spec,
        "family": evaluator.family(),
        "place": str(evaluator.location),
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
    if report["published"]:
        console.say(report["published"])
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
