"""A stand-in for Apple's calls, and for nothing else: no Mac is at hand where these tests run.

It answers as `evaluators/targets/apple.py` does on a Mac, with numbers that the tests choose; it measures nothing.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

STATE: dict[str, Any] = {"load": 0.1, "speed_limit": 100, "power": "mains"}
PLACEMENT = Counter({"NeuralEngine": 95, "CPU": 5})
SECONDS = [0.0035]


def missing() -> None:
    return None


def facts() -> dict[str, Any]:
    return {"kind": "apple", "chip": "stand-in for a Mac", "system": "macOS 0 (stand-in)"}


def phone_facts(name: str) -> dict[str, Any]:
    return {"kind": "phone", "name": name, "model": "stand-in", "system": "0"}


def state() -> dict[str, Any]:
    return dict(STATE)


class Loaded:
    def __init__(self, package: Path, units: str) -> None:
        assert (package / "Manifest.json").exists(), "a real package is handed over"
        self.runs = 0

    def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
        self.runs += 1
        return {"logits": np.zeros((inputs["images"].shape[0], 1000))}

    def predict_seconds(self) -> float:
        return SECONDS[0] * (1 + 0.002 * (self.runs % 5))

    def load_seconds(self) -> float:
        return 0.5

    def placement(self) -> "Counter[str]":
        return PLACEMENT


class Phone:
    def __init__(self, name: str, team: str) -> None:
        self.name, self.team = name, team

    def milliseconds(self, package: Path, units: str, iterations: int) -> list[float]:
        return [1000 * SECONDS[0] * (1 + 0.002 * (number % 5)) for number in range(iterations)]
