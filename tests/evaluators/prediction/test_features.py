"""The features that follow from a network's description."""

import numpy as np
import pytest

from evaluators.prediction.features import BASELINES, matrix, structure
from nas.commands.measure import sample
from search_spaces import PAPER


def test_structure_tells_size_and_placement_apart() -> None:
    found = structure(PAPER["next-vit-s"])
    assert found["transformer_share"] == pytest.approx(4 / 20)
    assert found["transformers_3"] == 2
    assert found["ends_in_transformer_1"] == 0
    assert found["mean_transformer_position"] == pytest.approx(np.mean([6, 11, 16, 19]) / 19)
    assert set(BASELINES) <= set(found)


def test_every_network_of_the_space_has_the_same_features() -> None:
    rows = [structure(each.architecture) for each in sample("nhs", 20, 0)]
    values, names = matrix(rows)
    assert values.shape == (20, len(rows[0]))
    assert np.isfinite(values).all()
    assert [name for name in names if name] == list(BASELINES)
