"""p-values, beside scipy's and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from evaluators.statistics import significance


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60), st.integers(0, 60))
def test_fisher_is_scipy_s(having: int, lacking: int, others_having: int, others_lacking: int) -> None:
    expected = fisher_exact([[having, lacking], [others_having, others_lacking]])[1]
    found = significance.fisher(having, having + lacking, others_having, others_having + others_lacking)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_sign_flips() -> None:
    assert significance.sign_flips(np.ones(20)) == pytest.approx(1 / (significance.FLIPS + 1), abs=1e-4)
    assert significance.sign_flips(np.array([1.0, -1.0])) == 1
    assert significance.sign_flips(np.ones(4)) == pytest.approx(2 / 16, abs=0.02)


def test_sign_flips_keep_their_level() -> None:
    random = np.random.default_rng(0)
    found = [significance.sign_flips(random.standard_t(2, 15), seed) <= 0.05 for seed in range(300)]
    assert np.mean(found) <= 0.08


def test_holm_by_hand() -> None:
    assert significance.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert significance.holm([0.9, 0.001]) == pytest.approx([0.9, 0.002])
    assert significance.holm([]) == []
