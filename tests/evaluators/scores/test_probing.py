"""The random networks that scores probe are the networks themselves."""

from math import isfinite

import pytest
import torch
from torch import nn

import evaluators
from evaluators.scores.probing import Noise, outputs, relu_outputs
from search_spaces import Architecture
from tests.networks import EVERYTHING

SMALL = Architecture.from_notation("C-CT-C-T")


def test_a_random_network_is_the_network_itself() -> None:
    """The blocks run one by one give what the whole network gives with the same numbers, norms on the batch."""
    from search_spaces.nextvit.network import NextViT

    noise = Noise(3)
    images = noise.draw((16, 3, 32, 32))
    start = noise.position
    *_, last = outputs(SMALL, images, noise, 3)
    network = NextViT(SMALL, num_classes=0, drop_path_rate=0).train()
    noise.position = start
    weights = noise.weights(network.stem)
    named = {f"stem.{name}": each.clone() for name, each in weights.items()}
    for number, stage in enumerate(network.stages):
        for index, block in enumerate(stage.blocks):
            found = noise.weights(block)
            named |= {f"stages.{number}.blocks.{index}.{name}": each.clone() for name, each in found.items()}
    with torch.no_grad():
        network.load_state_dict(named, strict=False)
        whole = network.features(images)[-1]
    torch.testing.assert_close(last, whole, rtol=1e-3, atol=1e-3)


def test_every_relu_is_seen() -> None:
    """The stem's, and one for each MLP and each convolutional attention."""
    from search_spaces.nextvit.network import NextViT

    noise = Noise(0)
    seen = list(relu_outputs(SMALL, noise.draw((16, 3, 32, 32)), noise, 0))
    network = NextViT(SMALL, num_classes=0)
    relus = [part for part in network.modules() if isinstance(part, nn.ReLU)]
    assert len(seen) == len(relus)
    assert all((each >= 0).all() for each in seen)


@pytest.mark.parametrize("name", [name for name in evaluators.names() if evaluators.get(name).kind == "score"])
def test_every_score_takes_other_blocks_and_variants(name: str) -> None:
    assert isfinite(evaluators.get(f"{name}:resolution=32").measure(EVERYTHING).value)
