"""Sentences about a run that a person should read before believing its front."""

from results import health
from tests import synthetic


def test_a_front_that_beats_the_paper_says_so() -> None:
    told = health.sentences(synthetic.typical())
    assert told[0].startswith("The front beats the paper's networks on this device: it covers ")
    assert "3 of the 3 are beaten" in told[0]
    assert told[-1] == "1 × it broke"


def test_no_anchor_no_comparison() -> None:
    assert "compared with nothing" in health.sentences(synthetic.run([synthetic.trial(0, 4.5, 50.0)]))[0]


def test_a_front_at_the_edge_of_the_space() -> None:
    """Every network of the front has the fewest stacks in stage 4."""
    run = synthetic.run([synthetic.trial(number, 4.0 + number, 50.0 + number) for number in range(6)])
    assert any(
        "6 of 6 networks of the front have stage4.L at 1, an end of its range" in s for s in health.sentences(run)
    )


def test_repeated_candidates_are_counted() -> None:
    run = synthetic.run([synthetic.trial(0, 4.0, 50.0), synthetic.trial(30, 4.1, 51.0)])
    assert "1 candidates were tried more than once." in health.sentences(run)


def test_a_latency_without_the_papers_networks_says_how_to_measure_them() -> None:
    run = synthetic.on_two_devices()
    del run.trials[1].measurements["trt"]
    assert "next-vit-b not measured by trt: nas measure test-run --trial 1 --latency trt" in health.sentences(run)
