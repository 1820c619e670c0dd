"""The time plan of a run: which fidelity fits into the hours, without training anything."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import evaluators
from evaluators.prediction.learned_accuracy import LearnedAccuracy
from evaluators.training import speed
from evaluators.training.speed import Speed
from nas.search.config import Config
from nas.search.training import time_plan
from nas.search.training.time_plan import FIDELITIES, Calibration, TimePlan, first_within, same_but_for_choices
from results.store.store import Store
from search_spaces import PAPER
from search_spaces.common.errors import NegativeAnswer
from tests.nas.test_cli import Program

SAMPLE = [PAPER[name] for name in ("next-vit-s", "next-vit-b", "next-vit-l")]
FAST = Speed(fixed=1e-4, per_mac=1e-12, per_weight=0.0, start=4.0, parallel=2)


def plans(
    evaluations: int = 20, train: int = 50_000, proxy: str = "auto:data=digits", classes: int = 10, image: float = 0.0
) -> list[TimePlan]:
    known = Calibration(
        speed=FAST, middling=SAMPLE[1], first=SAMPLE, candidate=3.0, train=train, valid=1000, image=image
    )
    evaluator = evaluators.get(proxy, "accuracy")
    assert isinstance(evaluator, LearnedAccuracy)
    return [known.planned(option, evaluations, 40) for option in time_plan._options(proxy, evaluator, train, classes)]


def test_the_best_fidelity_that_fits_is_planned() -> None:
    every = plans()
    assert len(every) == len(FIDELITIES)
    for hours in (0.5, 1.0, 4.0, 1000.0):
        plan = first_within(hours, every)
        assert plan.seconds <= 3600 * hours
        assert all(better.seconds > 3600 * hours for better in every[: every.index(plan)])
    assert first_within(1000.0, every) is every[0]


def test_without_hours_the_trainings_take_an_hour_at_most() -> None:
    plan = first_within(0.0, plans())
    assert plan.rate + plan.training <= 3600
    assert plan.evaluations == 20


def test_a_plan_that_fits_nowhere_is_refused_with_the_smallest_one() -> None:
    with pytest.raises(NegativeAnswer, match=r"smallest plan, 20 real evaluations on digits, 1000 images") as refused:
        first_within(0.01, plans())
    hours = float(str(refused.value.hint).split("--hours ")[1].split(";")[0])
    assert first_within(hours, plans()).seconds <= 3600 * hours


def test_few_images_mean_all_and_options_that_were_given_stay() -> None:
    assert {plan.evaluator.images for plan in plans(train=900)} == {0}
    assert len(plans(train=900)) < len(FIDELITIES)
    own = plans(proxy="auto:data=digits,epochs=5,resolution=48")
    assert {(plan.evaluator.epochs, plan.evaluator.resolution) for plan in own} == {(5, 48)}
    assert {plan.evaluator.images for plan in own} == {0, 20_000, 10_000, 5_000, 2_500, 1_000}


def test_many_classes_need_many_images() -> None:
    assert {plan.evaluator.images for plan in plans(classes=1000)} == {0, 20_000, 10_000}
    assert {plan.evaluator.images for plan in plans(classes=10_000)} == {0}


def test_reading_large_photographs_is_planned() -> None:
    """20 ms for each image: what fitted without them does not."""
    (plan,) = plans(proxy="auto:data=digits,epochs=9,resolution=64,images=10000,rate=0.002", image=0.02)
    assert plan.reading == pytest.approx(0.02 * 11_000)
    assert "reading the images: 4 min" in "\n".join(plan.lines(40))
    assert plan.seconds == pytest.approx(plan.reading + plan.training + plan.candidates)
    assert first_within(0.5, plans(image=0.2)).evaluator.images < first_within(0.5, plans()).evaluator.images


def test_more_work_takes_longer() -> None:
    (plan,) = plans(proxy="auto:data=digits,epochs=9,resolution=64,images=1000,rate=0.002")
    assert plan.rate == 0
    assert plan.candidates == 120
    work = 9 * 1000 + speed.VALIDATION * 1000
    small, middling, large = (4.0 + FAST.seconds(network, 64, work) for network in SAMPLE)
    first = max(small + large, middling)  # two at once: the third begins when the first ends
    assert plan.training == pytest.approx(first + 17 * (small + middling + large) / 3 / 2)


def test_choosing_a_learning_rate_is_one_of_the_evaluations() -> None:
    chosen, given = (
        plans(proxy=f"auto:data=digits,epochs=9,resolution=64,images=1000{rate}")[0] for rate in ("", ",rate=0.002")
    )
    assert chosen.rate == pytest.approx(4.0 + FAST.seconds(SAMPLE[1], 64, 9 * 1000 + speed.VALIDATION * 1000))
    assert chosen.training < given.training


def test_what_is_given_in_full_is_not_calibrated(tmp_path: Path) -> None:
    config = Config(proxy="auto:data=digits,epochs=9,resolution=64,images=300,rate=0.002")
    store = Store(f"sqlite:///{tmp_path}/nas.db", writable=True)
    try:
        assert time_plan.settled(config, None, store, typed=config.proxy, fixed=False) == (config, None)  # type: ignore[arg-type]
        plain = replace(config, proxy="structure")
        assert time_plan.settled(plain, None, store, typed="", fixed=False) == (plain, None)  # type: ignore[arg-type]
    finally:
        store.close()


@pytest.mark.parametrize(
    ("requested", "stored", "same"),
    [
        ("auto:data=digits", "auto:data=digits,epochs=6,images=1000,rate=0.004,resolution=32", True),
        ("auto:data=digits,epochs=9", "auto:data=digits,epochs=6,images=1000", False),
        ("auto:data=digits", "auto:data=synthetic,epochs=6", False),
        ("train:data=digits,epochs=3", "train:data=digits,epochs=3,rate=0.002", True),
        ("train:data=digits,epochs=3", "train:data=digits,epochs=3,resolution=32", False),
        ("auto:data=digits", "train:data=digits,epochs=9", False),
        ("entropy", "entropy", True),
        ("entropy", "zen", False),
    ],
)
def test_the_same_command_resumes_a_planned_run(requested: str, stored: str, same: bool) -> None:
    assert same_but_for_choices(requested, stored, requested) == same


def test_a_default_that_a_spec_names_is_not_a_choice_of_the_user() -> None:
    spec = evaluators.get("auto:images=4000", "accuracy").spec
    assert "epochs=9" in spec
    assert same_but_for_choices(spec, "auto:data=digits,epochs=6,images=4000,resolution=32", "auto:images=4000")
    assert not same_but_for_choices(spec, "auto:data=digits,epochs=6,images=4000", "auto:images=4000,epochs=9")


def test_the_speed_of_training_follows_the_size_of_a_network() -> None:
    costs = np.array([[1, 1e8, 5e6], [1, 4e8, 5e6], [1, 2e8, 2e7], [1, 8e8, 2e7]])  # two networks at two resolutions
    true = (0.01, 1e-11, 2e-10)
    assert speed._fitted(costs, costs @ true) == pytest.approx(true, rel=1e-6)
    known = Speed(fixed=0.01, per_mac=0.0, per_weight=1e-10, start=0.0, parallel=1)
    assert known.seconds(PAPER["next-vit-s"], 64, 100) == pytest.approx(100 * (0.01 + 3.1763e-3), rel=1e-3)


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "much", "20000"])
def test_impossible_hours_are_refused(nas: Program, hours: str) -> None:
    ended = nas("run", "--data", "digits", "--hours", hours, "--budget", "3")
    assert ended.code == 2, ended.err
    assert "--hours" in ended.err
    assert not (nas.folder / "runs").exists()


def test_hours_without_data_are_refused(nas: Program) -> None:
    ended = nas("run", "--hours", "1", "--budget", "3")
    assert ended.code == 2, ended.err
    assert "add --data DIR" in ended.err
