"""The dense task: its read-out, its counts, and its batches."""

import numpy as np
import pytest
import torch

from evaluators.datasets.scenes import CLASSES, Scenes
from evaluators.training.segmentation import DenseReadOut, _overlaps, batches
from search_spaces.nextvit.network import NextViT
from tests.networks import TINY

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


@pytest.mark.parametrize("side", [32, 72])
def test_every_pixel_gets_an_answer_from_every_stage(side: int) -> None:
    network = DenseReadOut(NextViT(TINY, num_classes=0), len(CLASSES))
    logits = network(torch.rand(2, 3, side, side))
    assert logits.shape == (2, len(CLASSES), side, side)
    logits.square().mean().backward()
    for stage in network.network.stages:
        assert all(parameter.grad is not None for parameter in stage.parameters())
    assert all(float(project[0].weight.grad.abs().sum()) > 0 for project in network.projections)


def test_overlaps_are_counted_in_every_scene() -> None:
    random = torch.Generator().manual_seed(0)
    answer, truth = torch.randint(0, len(CLASSES), (2, 3, 5, 5), generator=random)
    both, either = _overlaps(answer, truth)
    for scene in range(3):
        for kind in range(len(CLASSES)):
            said, shown = answer[scene] == kind, truth[scene] == kind
            assert both[scene, kind] == int((said & shown).sum())
            assert either[scene, kind] == int((said | shown).sum())


def test_pixels_and_classes_are_mirrored_together() -> None:
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 8, (40, 32, 32)).astype(np.uint8))
    pixels = labels[:, None].repeat(1, 3, 1, 1)
    scenes = Scenes(
        identity="", train_pixels=pixels, train_labels=labels, valid_pixels=pixels[:1], valid_labels=labels[:1]
    )
    seen = list(batches(scenes, 16, torch.Generator().manual_seed(0)))
    assert [len(y) for _, y in seen] == [16, 16, 8]
    assert all(torch.equal(x[:, 1], y) for x, y in seen)
    shown = torch.cat([y for _, y in seen])
    unmirrored = sum(any(torch.equal(one, each) for each in labels) for one in shown)
    assert 2 <= unmirrored <= 20  # a quarter
