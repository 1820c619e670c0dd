"""The dense task as an evaluator: it learns, repeats itself, and says how far its number can be trusted."""

import pytest
import torch

import evaluators
from evaluators.datasets.scenes import CLASSES
from search_spaces.common.errors import UsageError
from tests.networks import TINY

torch.set_num_threads(1)  # with other tests in parallel, two threads would wait for each other


def test_a_tiny_network_learns_above_chance() -> None:
    reached = evaluators.get("segment:resolution=32,images=300,epochs=6,rate=0.006").measure(TINY)
    assert not reached.is_at_chance
    assert reached.low > 12, "background alone is 8 to 9 %"
    assert reached.skill and reached.skill > 0.04
    assert reached.metric.kind == "trained" and reached.unit == "% mIoU"
    (ious,) = reached.details["ious"]
    assert tuple(ious) == CLASSES
    assert reached.value == pytest.approx(100 * sum(ious.values()) / len(CLASSES), abs=1e-2)


def test_it_repeats_itself_and_its_interval_covers_scenes_and_seeds() -> None:
    one, two = (evaluators.get(f"segment:resolution=32,images=64,epochs=1,seeds={n}").measure(TINY) for n in (1, 2))
    assert [one.value] == one.details["by_seed"] == two.details["by_seed"][:1]
    assert two.value == pytest.approx(sum(two.details["by_seed"]) / 2, abs=1e-3)
    assert one.high - one.low > 0
    assert two.high - two.low > abs(two.details["by_seed"][0] - two.details["by_seed"][1]), "1.96 standard errors"
    assert two.fidelity == "scenes, 64 images, 32 px, 1 epochs, 2 seeds"
    assert one.is_at_chance, "one epoch of four steps teaches nothing"


def test_its_protocol_names_the_generator() -> None:
    evaluator = evaluators.get("segment")
    assert evaluator.protocol()["data identity"] == "scenes 1"
    assert evaluators.get(evaluator.training) == evaluator  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("segment:resolution=288", "nearest: resolution=256"),
        ("segment:images=200000", "nearest: images=100000"),
        ("segment:rate=2", "from 0 to 1"),
        ("segment:head=fpn", "no option 'head=fpn'"),
    ],
)
def test_a_wrong_option_is_refused(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluators.get(spec)


def test_other_data_has_no_class_for_every_pixel() -> None:
    reason = evaluators.get("segment:data=digits").missing()
    assert reason and "'digits' has no class for every pixel" in reason.message
    reason = evaluators.get("train:data=scenes").missing()
    assert reason and "a class for every pixel" in reason.message and "segment" in reason.hint
