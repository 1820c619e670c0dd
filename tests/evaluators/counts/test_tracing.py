"""Counts by fvcore's trace."""

from evaluators.counts.tracing import trace
from search_spaces import PAPER
from search_spaces.nextvit import network


def test_what_a_trace_leaves_out_is_reported() -> None:
    uncounted = trace(network.NextViT(PAPER["next-vit-s"]), (1, 3, 64, 64)).uncounted
    assert uncounted["aten::add"] == 44
    assert uncounted["aten::avg_pool1d"] == 3
