"""The command `nas doctor`: what this machine can measure, what is missing, and how to get it."""

import importlib.metadata
import platform
import sys
from typing import Any

import evaluators
from evaluators.common import cpu
from nas import __version__, console
from results.store import Store
from search_spaces.common.errors import NasError

PACKAGES = (
    "torch", "timm", "optuna", "fvcore", "onnx", "onnxruntime", "coremltools", "tensorrt", "pandas", "plotly", "numpy",
    "SQLAlchemy",
)  # fmt: skip


def examine(store_url: str, *, as_json: bool) -> int:
    """Reports on this machine. Returns 0 where at least one latency can be measured, else 1."""
    report: dict[str, Any] = {
        "nas": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "cpu": {**cpu.device().facts, **cpu.state()},
        "packages": {name: _version(name) for name in PACKAGES},
        "evaluators": [_evaluator(name) for name in evaluators.names()],
        "store": {"url": store_url, "state": _store(store_url)},
    }
    if as_json:
        console.write_json(report)
    else:
        _write(report)
    ready = [each for each in report["evaluators"] if each["family"] == "latency" and each["ready"]]
    return 0 if ready else 1


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _evaluator(name: str) -> dict[str, Any]:
    evaluator = evaluators.get(name)
    reason = evaluator.missing()
    return {
        "evaluator": name,
        "family": evaluator.family(),
        "ready": reason is None,
        "detail": reason.message if reason else evaluator.device().label,
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
            "warning: this machine is busy; latencies measured now will be flagged or slow. Close other programs."
        )
    rows = (
        [each["evaluator"], each["family"], "yes" if each["ready"] else "no", each["detail"], each["to enable"]]
        for each in report["evaluators"]
    )
    console.write_table(["evaluator", "family", "ready", "detail", "to enable"], rows)
