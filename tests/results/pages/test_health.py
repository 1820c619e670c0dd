"""Sentences about a run that a person should read before believing its front."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

import evaluators
from evaluators.core.measurement import DOUBTFUL, Quality
from evaluators.stopwatch.calibration import flag
from results import front, verification
from results.pages import health
from results.store.record import Run
from tests import synthetic


def test_a_front_that_beats_the_paper_says_so() -> None:
    sentences = health.sentences(synthetic.typical())
    assert sentences[0].startswith("The front beats the paper's networks on this device: it covers ")
    assert "3 of the 3 are beaten" in sentences[0]
    assert sentences[-1] == "1 × it broke"


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


def edges(run: Run) -> str:
    return "\n".join(sentence for sentence in health.sentences(run) if "an end of its range" in sentence)


def test_a_parameter_that_decides_nothing_is_at_no_end() -> None:
    """No stage 1 of these has a transformer: the width of its transformers is nobody's choice. That of stage 4 is."""
    trials = [synthetic.trial(number, 4.0 + number, 50.0 + number) for number in range(6)]
    for index, trial in enumerate(trials):
        *others, last = trial.architecture.stages
        assert "T" not in others[0].blocks
        narrow = replace(last, transformer_width=768)
        trials[index] = replace(trial, architecture=replace(trial.architecture, stages=(*others, narrow)))
    run = synthetic.run(trials)
    assert "stage1.transformer_width" not in edges(run)
    assert "6 of 6 networks of the front have stage4.transformer_width at 768" in edges(run)


def emitted() -> set[str]:
    """The quality flags in the source of the evaluators: what is given, assigned or defaulted by the name `quality`."""
    flags: set[str] = set()
    for path in Path(evaluators.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case (
                    ast.keyword(arg="quality", value=value)
                    | ast.AnnAssign(target=ast.Name(id="quality"), value=value)
                    | ast.Assign(targets=[ast.Name(id="quality")], value=value)
                ) if value:
                    flags |= strings(value)
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                    pairs = zip(targets, values, strict=False)
                    flags |= {
                        text for target, value in pairs if names(target) == {"quality"} for text in strings(value)
                    }
    return flags


def strings(node: ast.AST) -> set[str]:
    return {child.value for child in ast.walk(node) if isinstance(child, ast.Constant) and isinstance(child.value, str)}


def names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


OLD = {"cpu_time", "drifted"}  # of the first version's stopwatch: stores hold them


def test_every_flag_that_the_code_emits_has_its_words() -> None:
    latencies = {flag(half, 9, [share]) for half in (0.01, 0.05, 0.1) for share in (0.5, 1.0)}
    assert emitted() | latencies | OLD == set(get_args(Quality)) == set(health.MEANINGS)
    assert all(health.MEANINGS[flag] for flag in DOUBTFUL)


@pytest.mark.parametrize("flag", DOUBTFUL)
def test_a_front_with_a_doubtful_latency_beats_nothing(flag: Quality) -> None:
    run = synthetic.doubtful({4: flag})
    first, *others = health.sentences(run)
    assert first == (
        "The front is not compared with the paper's networks. 1 of the front's 3 latencies by ort is doubtful "
        f"(1 {flag}): measure again with 'nas measure test-run --front --latency ort'."
    )
    assert f"1 measurements of ort {health.MEANINGS[flag]}." in others


def test_a_doubtful_yardstick_measures_nothing() -> None:
    run = synthetic.doubtful({0: "drifted", 2: "noisy", 5: "drifted"})
    assert "2 of the paper's 3 latencies by ort are doubtful (1 drifted, 1 noisy)" in health.sentences(run)[0]
    assert "--trial 0 --trial 2 --latency ort" in health.sentences(run)[0]


def test_what_is_dominated_may_be_doubtful() -> None:
    assert "beats" in health.sentences(synthetic.doubtful({5: "drifted"}))[0]


def test_many_doubts_are_measured_again_by_one_word() -> None:
    run = synthetic.many(30)
    run = synthetic.doubtful(dict.fromkeys(range(33), "drifted"), run)
    (sentence,) = verification.doubts(run, run.succeeded())
    assert "33 of these 33 latencies by ort are doubtful (33 drifted)" in sentence
    assert "nas measure test-run --all --latency ort" in sentence
    assert verification.doubts(run, front.front(run))[0].endswith("--front --latency ort'.")
