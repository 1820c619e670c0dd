"""A device made up for tests, and the networks that were measured on it."""

import numpy as np
import pytest

from evaluators.prediction.latency_features import NAMES, features
from search_spaces import Architecture
from tests.networks import random_networks

NETWORKS = random_networks(90, seed=5)


def latency(architecture: Architecture, rng: np.random.Generator, noise: float = 0.02) -> float:
    """A device made up for tests: a line over the features with a bend, and noise in proportion."""
    values = dict(zip(NAMES, features(architecture, 224), strict=True))
    base = 5 + 0.005 * values["macs"] + 0.4 * values["activations"] + 0.01 * values["stage 1 T attention"]
    return float((base + 0.3 * values["blocks"] ** 1.1) * (1 + noise * rng.standard_normal()))


@pytest.fixture(scope="module")
def device() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.array([latency(each, rng) for each in NETWORKS])
