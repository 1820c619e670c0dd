"""The accuracy after a short training: its interval and its unit."""

import math

import pytest
import torch

import evaluators
from tests.networks import TINY

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


def test_its_interval_covers_images_and_seeds() -> None:
    one = evaluators.get("train:data=digits,resolution=32,images=300,epochs=2").measure(TINY)
    share, count = one.value / 100, one.details["validation_images"]
    assert one.high - one.value == pytest.approx(196 * math.sqrt(share * (1 - share) / count), rel=1e-3)
    two = evaluators.get("train:data=digits,resolution=32,images=300,epochs=2,seeds=2").measure(TINY)
    assert two.details["by_seed"][0] == one.value
    assert two.value == pytest.approx(sum(two.details["by_seed"]) / 2, abs=1e-3)
    assert two.high - two.low > one.high - one.low - 1e-9
    assert two.metric.kind == "trained"
    assert two.details["fidelity"] == "digits, 300 images, 32 px, 2 epochs, 2 seeds"


def test_what_is_reached_on_the_procedural_set_is_called_a_skill() -> None:
    assert evaluators.get("train:data=synthetic").metric.unit == "% synthetic skill"
