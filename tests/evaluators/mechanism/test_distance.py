"""Attention whose distance is known."""

import math

import pytest
import torch

from evaluators.mechanism.distance import geometry, weights
from search_spaces.nextvit.parts import EfficientAttention, WindowAttention


def grid(side: int, stride: int) -> float:
    """The mean distance between two positions of a square, from every pair."""
    points = [(row * stride, column * stride) for row in range(side) for column in range(side)]
    return sum(math.dist(a, b) for a in points for b in points) / len(points) ** 2


@pytest.mark.parametrize("side", [1, 2, 7, 14, 28])
def test_attention_to_oneself_has_no_distance(side: int) -> None:
    whole = geometry(EfficientAttention(32, 16), side, 32)
    assert (whole.mean(torch.eye(side * side).expand(3, 2, -1, -1)) == 0).all()


def test_attention_that_is_equal_for_all_keys_by_hand() -> None:
    pair = geometry(EfficientAttention(32, 16), 2, 16)
    assert pair.uniform == pytest.approx(16 * (2 + math.sqrt(2)) / 4)
    assert geometry(EfficientAttention(32, 16), 7, 32).uniform == pytest.approx(grid(7, 32))
    in_a_square = (2 + math.sqrt(2) + 5 * math.asinh(1)) / 15  # the mean distance of two points of a unit square
    assert geometry(EfficientAttention(32, 16), 40, 1).uniform == pytest.approx(40 * in_a_square, rel=0.001)


def test_the_mean_of_equal_weights_is_that() -> None:
    for attention in (EfficientAttention(32, 16, 2), EfficientAttention(32, 16, 2, "squares")):
        whole = geometry(attention, 8, 16)
        equal = torch.full((2, 2, *whole.distances.shape), 1 / whole.distances.shape[1])
        assert whole.mean(equal).flatten().tolist() == pytest.approx([whole.uniform] * 4)


def test_a_key_stands_at_the_mean_of_what_it_averages() -> None:
    rows = geometry(EfficientAttention(32, 16, 2), 4, 8)  # each key is a line of the map
    assert rows.distances.shape == (16, 4)
    assert rows.distances[0].tolist() == pytest.approx([math.dist((4, 4), (y, 16)) for y in (4, 12, 20, 28)])
    squares = geometry(EfficientAttention(32, 16, 2, "squares"), 4, 8)
    corners = [(8, 8), (8, 24), (24, 8), (24, 24)]
    assert squares.distances[0].tolist() == pytest.approx([math.dist((4, 4), corner) for corner in corners])
    wrapped = geometry(
        EfficientAttention(32, 16, 2), 6, 8
    )  # the second key: the end of a line, and the next one's start
    assert wrapped.distances[0, 1].item() == pytest.approx(math.dist((4, 4), (8, 24)))


def test_windows_know_no_other_window_and_padding_does_not_ask() -> None:
    windows = geometry(WindowAttention(32, 16, 7), 10, 4)
    assert windows.distances.shape == (49, 49)
    assert windows.counted.sum(1).tolist() == [49, 21, 21, 9], "10 x 10 positions in 2 x 2 windows of 7 x 7"
    identity = torch.eye(49).expand(4 * 2, 1, -1, -1)
    assert (windows.mean(identity) == 0).all() and windows.mean(identity).shape == (2, 1)
    assert geometry(WindowAttention(32, 16, 7), 14, 4).uniform == pytest.approx(grid(7, 4))


def test_the_weights_are_those_of_the_network() -> None:
    torch.manual_seed(0)
    attention = EfficientAttention(64, 16).eval()
    tokens = torch.randn(3, 25, 64)
    seen = weights(attention, attention.q(tokens), attention.k(tokens))
    assert seen.shape == (3, 4, 25, 25) and torch.allclose(seen.sum(-1), torch.ones(3, 4, 25))
    mixed = (seen @ attention.heads(attention.v(tokens))).transpose(1, 2).flatten(2)
    assert torch.allclose(mixed, attention.mix(tokens, tokens), atol=1e-5)


def test_the_order_of_heads_changes_nothing() -> None:
    whole, attention = geometry(EfficientAttention(64, 16), 5, 8), torch.rand(2, 4, 25, 25).softmax(-1)
    order = [2, 0, 3, 1]
    assert torch.allclose(whole.mean(attention)[:, order], whole.mean(attention[:, order]))
