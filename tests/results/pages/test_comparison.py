"""Two runs in one plane: which covers more, and whether the measurements can distinguish them."""

from dataclasses import replace

import pytest

from results.figures.fronts import fronts_info
from results.pages import comparison
from results.store.record import Run
from search_spaces.common.errors import NegativeAnswer
from tests import synthetic


def named(name: str, *points: tuple[float, float], half: float = 0.1) -> Run:
    trials = [
        synthetic.trial(
            number,
            score,
            latency,
            measurements={
                "entropy": synthetic.measurement(synthetic.SCORE, score, 0),
                "ort": synthetic.measurement(synthetic.LATENCY, latency, half),
            },
        )
        for number, (score, latency) in enumerate(points, start=3)
    ]
    return replace(synthetic.run([*synthetic.anchors(), *trials]), name=name)


def test_the_better_front_is_named() -> None:
    result = comparison.compare(named("a"), named("b", (4.7, 45.0)))
    assert result.volumes[0] == pytest.approx(1), "the anchors alone"
    assert result.difference.low > 0
    assert result.sentence.endswith("b covers more")
    assert comparison.compare(named("a", (4.7, 45.0)), named("b")).sentence.endswith("a covers more")


def test_differences_within_the_noise_are_not_distinguishable() -> None:
    first, second = named("a", (4.7, 45.0), half=5.0), named("b", (4.7, 44.5), half=5.0)
    result = comparison.compare(first, second)
    assert result.difference.low < 0 < result.difference.high
    assert "not distinguishable" in result.sentence


def test_a_run_compared_with_itself_differs_by_nothing() -> None:
    run = named("a", (4.7, 45.0))
    assert comparison.compare(run, replace(run, name="b")).difference.value == 0


def test_both_fronts_are_in_the_page_once() -> None:
    result = comparison.compare(named("a"), named("</script><b>", (4.7, 45.0)))
    page = comparison.page(result)
    assert "</script><b>" not in page
    assert page.count("<tr><td>") == 3 + 1
    assert fronts_info(result.first, result.second).points[1] == ((45.0, 4.7),)


def test_other_objectives_and_other_devices_share_no_axis() -> None:
    other = synthetic.run([synthetic.trial(0, 4.5, 50.0)])
    objectives = [vars(synthetic.SCORE), vars(synthetic.OTHER)]
    with pytest.raises(NegativeAnswer, match="pursues entropy, ort, 'test-run' entropy, trt"):
        comparison.compare(named("a"), replace(other, config={**other.config, "objectives": objectives}))
    elsewhere = synthetic.run([synthetic.trial(0, 4.5, 50.0)])
    clock = elsewhere.trials[0].measurements["ort"]
    elsewhere.trials[0].measurements["ort"] = replace(clock, device=synthetic.OTHERS)
    with pytest.raises(NegativeAnswer, match="on a test device, 'test-run' on another device"):
        comparison.compare(named("a"), elsewhere)


def test_an_empty_run_has_nothing_to_compare() -> None:
    with pytest.raises(NegativeAnswer, match="has no front"):
        comparison.compare(named("a"), replace(synthetic.run([]), name="b"))


def test_a_front_with_a_doubtful_latency_covers_neither_more_nor_less() -> None:
    result = comparison.compare(named("a"), synthetic.doubtful({3: "noisy"}, named("b", (4.7, 45.0))))
    assert result.sentence == (
        "a and b are not compared. b: 1 of the front's 1 latencies by ort is doubtful (1 noisy): "
        "measure again with 'nas measure b --front --latency ort'."
    )
    assert "covers" not in result.sentence
