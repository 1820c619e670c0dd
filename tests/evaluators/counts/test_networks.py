"""Counts of networks of other families: those of fvcore, and of timm's own parameters."""

import pytest

from evaluators.counts import formula, networks, tracing
from search_spaces import PAPER, TimmNetwork
from search_spaces.peers import timm_models


@pytest.mark.parametrize("model", ["test_maxvit", "test_coatnet", "fastvit_t8", "resnet18"])
def test_a_trace_counts_what_fvcore_counts(model: str) -> None:
    """fvcore also counts what does not depend on the image, such as tables of relative positions."""
    network = TimmNetwork(model=model)
    work, counts = networks.total(network, 64), tracing.trace(timm_models.build(network, resolution=64), (1, 3, 64, 64))
    assert work.params == counts.params
    assert work.all_macs == pytest.approx(counts.macs + counts.attention, rel=0.02)
    assert work.activations == pytest.approx(counts.activations, rel=0.02)


def test_our_own_network_counts_as_much_in_timms_words() -> None:
    ours, theirs = formula.total(PAPER["next-vit-s"]), networks.total(TimmNetwork(model="nextvit_small"))
    assert (theirs.params, theirs.all_macs, theirs.activations) == (ours.params, ours.all_macs, ours.activations)
