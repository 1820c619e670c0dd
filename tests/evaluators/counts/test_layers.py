"""The stages of layers, and our family's layers by formula."""

from evaluators.counts.formula import total
from evaluators.counts.layers import HEAD, Layer, stages
from search_spaces import PAPER


def at(side: int) -> Layer:
    """A layer with so many positions on a side."""
    return Layer(positions=side**2, macs=1, activations=1, into=8, out=8)


def test_a_layer_belongs_to_the_stage_of_its_outputs() -> None:
    assert stages([at(224), at(112), at(56), at(28), at(14), at(7), at(1)], 224) == [0, 0, 1, 2, 3, 4, HEAD]


def test_a_class_token_and_odd_sides_change_nothing() -> None:
    tokens = Layer(positions=14**2 + 1, macs=1, activations=1, into=8, out=8)
    assert stages([tokens], 224) == stages([at(14)], 224) == [3]
    assert stages([at(13), at(7)], 200) == [3, 4]


def test_work_on_fewer_positions_belongs_to_what_follows() -> None:
    squeeze, keys, product = at(1), at(7), Layer(positions=0, macs=1, activations=1, share=1)
    assert stages([at(28), squeeze, squeeze, at(28)], 224) == [2, 2, 2, 2]
    assert stages([at(28), keys, product, at(28), at(14)], 224) == [2, 2, 2, 2, 3]
    assert stages([at(7), squeeze], 224) == [4, HEAD]


def test_beyond_stride_32_there_is_no_other_stage() -> None:
    assert stages([at(4)], 256) == [4]


def test_the_layers_of_a_network_sum_up_to_its_work() -> None:
    work = total(PAPER["next-vit-s"])
    assert sum(layer.macs for layer in work.layers) == work.macs + work.attention
    assert sum(layer.activations for layer in work.layers) == work.activations
    assert sum(layer.weights for layer in work.layers) == work.weights
    assert {layer.share for layer in work.layers} == {0.0, 0.75}
