"""One process that evaluates: JSON lines in, JSON lines out. Run as `python -m evaluators.common.worker`.

A job names an evaluator and an architecture; the answer is a measurement, or the cause of its failure. Standard output
carries answers alone: what libraries print goes to standard error.
"""

import json
import os
import sys
from typing import Any, TextIO

import evaluators
from search_spaces import Architecture
from search_spaces.common.errors import MeasurementFailed


def main() -> None:
    """Answers one job a line until its input ends. A first line may name modules to import ahead of the first job."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        _reply(answers, _answer(json.loads(line)))


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    try:
        if modules := job.get("prepare"):
            for module in modules:
                __import__(module)
            return {"prepared": modules}
        evaluator = evaluators.get(job["evaluator"])
        measurement = evaluator.measure(Architecture.from_dict(job["architecture"]), job.get("baseline"))
        return {"measurement": measurement.to_dict()}
    except Exception as error:  # a candidate's failure is an answer, whatever it was
        failure = MeasurementFailed.of(error)
        return {"cause": failure.cause, "detail": failure.detail}


def _reply(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
