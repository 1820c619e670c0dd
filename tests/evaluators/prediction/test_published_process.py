"""The Gaussian process against its definition on a few made-up networks."""

import numpy as np
import pytest

from evaluators.prediction.published_process import PRIOR, SIZE_LINE, Networks, Process, to_percent, to_y


def networks(count: int, seed: int = 0) -> Networks:
    rng = np.random.default_rng(seed)
    return Networks(
        features=rng.standard_normal((count, 42)),
        legacy=rng.integers(0, 2, count).astype(float),
        recipe=[f"recipe {index % 3}" for index in range(count)],
        family=[f"family {index % 4}" for index in range(count)],
        architecture=[f"network {index}" for index in range(count)],
    )


def without(known: Networks, left_out: list[int]) -> Networks:
    kept = [index for index in range(len(known.legacy)) if index not in left_out]
    labels = {name: [getattr(known, name)[i] for i in kept] for name in ("recipe", "family", "architecture")}
    return Networks(features=known.features[kept], legacy=known.legacy[kept], **labels)


TOP1 = 80 + 3 * np.sin(np.arange(24.0))


def test_percent_and_back() -> None:
    assert to_percent(to_y(TOP1)) == pytest.approx(TOP1)
    assert to_y(np.array([82.0])) > to_y(np.array([81.0]))


def test_it_follows_what_it_knows_and_is_unsure_elsewhere() -> None:
    known = networks(24)
    process = Process(known, TOP1)
    mean, spread = process.predict(known)
    assert np.abs(to_percent(mean) - TOP1).max() < 1.0
    assert spread.max() < 2 * PRIOR.noise
    far = Networks(
        features=known.features[:1] + 10, legacy=np.zeros(1), recipe=["new"], family=["new"], architecture=["new"]
    )
    assert process.predict(far)[1][0] > PRIOR.rest
    assert process.mean(known) == pytest.approx(mean)


@pytest.mark.parametrize("scales", [PRIOR, SIZE_LINE])
def test_leaving_out_in_closed_form_is_leaving_out(scales: object) -> None:
    """But for the scales of the features, which the closed form keeps: here they are given."""
    known = networks(24)
    process = Process(known, TOP1, scales)  # type: ignore[arg-type]
    mean, spread = process.left_out(known.family)
    part = [index for index, family in enumerate(known.family) if family == "family 1"]
    rest = Process(without(known, part), np.delete(TOP1, part), scales)  # type: ignore[arg-type]
    rest.center, rest.width, rest.level = process.center, process.width, process.level
    rows = rest._rows(rest.known)
    covariance = rest._kernel(rows, rows) + rest.scales.noise**2 * np.eye(18)
    y = to_y(np.delete(TOP1, part)) - process.level
    theirs = rest._rows(without(known, [i for i in range(24) if i not in part]))
    across = rest._kernel(theirs, rows)
    assert mean[part] == pytest.approx(process.level + across @ np.linalg.solve(covariance, y))
    own = np.diag(rest._kernel(theirs, theirs))
    assert spread[part] ** 2 == pytest.approx(own - np.sum(across * np.linalg.solve(covariance, across.T).T, axis=1))
