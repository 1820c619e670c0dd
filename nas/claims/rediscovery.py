"""The claims of Next-ViT, one after the other: published tables, then the stopwatch, then predictions or trainings.

Everything that is measured or trained is stored as it is made, so that the same command resumes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from evaluators import Evaluator
from evaluators.training.fidelity import Fidelity
from nas.claims.measured import MEASURED
from nas.claims.trained import TRAINED, finding, pairs_needed
from nas.search.training.active_learning import TRANSIENT
from nas.strategies.experiment import Experiment
from nas.strategies.stored_latency import StoredLatency
from results.claims.claim import Claim, Evidence, Kind, Part, Report, Shown, Verdict
from results.reference import claims as published
from results.reference.claims import Finding
from results.strategies.report import Answer
from search_spaces.common.errors import InfrastructureFailed, NegativeAnswer
from search_spaces.strategies.catalogue import QUESTIONS
from search_spaces.strategies.strategy import USUAL

SEEDS = 3  # of each network, in what is proposed
LONGER = "longer trainings, or more images"
SECONDS = 5  # of a process that measures, with its start
ATTEMPTS_EACH = 4  # processes until a network of a strategy has its latency, on average
LIMITS = "short trainings of small networks: no ImageNet accuracy, and no other task"
FORESEEN = "as-s"  # the depths at which published networks are asked: more would add no evidence


@dataclass(kw_only=True)
class Rediscovery:
    """What is at hand to settle claims. Without a stopwatch nothing is measured, and `missing` says why.

    `milliseconds` is the latency at which strategies are judged: by `judges`, and by `foresees` where there are none.
    """

    say: Callable[[str], object]
    stopwatch: StoredLatency | None = None
    missing: str = ""
    milliseconds: float | None = None
    judges: Mapping[Kind, Evaluator] = field(default_factory=dict)
    foresees: Evaluator | None = None
    scalings: Sequence[str] = USUAL  # the depths at which strategies are trained

    def report(self, claims: Sequence[Claim]) -> Report:
        """The verdicts on claims.

        Raises:
            InfrastructureFailed: something around the measurements failed; the same command resumes.
        """
        found = {claim.number: published.CLAIMS[claim.number]() for claim in claims if _has(claim, "published")}
        measured = self._measured([number for number in _wanted(claims) if MEASURED[number].processes])
        judged = self._judged(claims)
        measured |= self._measured([number for number in _wanted(claims) if not MEASURED[number].processes])
        verdicts = [
            Verdict(claim=claim, evidence=tuple(self._evidence(claim, found, measured, judged))) for claim in claims
        ]
        return Report(
            latency=self.stopwatch.latency.metric.name if self.stopwatch else "",
            device=self.stopwatch.latency.device().label if self.stopwatch else "",
            at=f"{self.milliseconds:g} ms" if self.milliseconds else "",
            judges=tuple(judge.metric.name for judge in self.judges.values()),
            verdicts=tuple(verdicts),
        )

    def _evidence(
        self,
        claim: Claim,
        found: Mapping[int, Finding],
        measured: Mapping[int, Finding | str],
        judged: "Mapping[Shown, Judged]",
    ) -> Iterator[Evidence]:
        for part in claim.parts:
            if part.kind == "published":
                yield Evidence(kind="published", finding=found[claim.number], needs=_more(found[claim.number]))
            elif part.kind == "measured":
                yield self._of_stopwatch(claim, part, measured[claim.number])
            else:
                yield self._of_judge(claim, part, judged)
                yield from self._foreseen(claim, part, judged)

    # Measured

    def _measured(self, numbers: Sequence[int]) -> dict[int, Finding | str]:
        """What the stopwatch says of each claim, or why it says nothing."""
        if self.stopwatch is None:
            return dict.fromkeys(numbers, self.missing)
        if processes := sum(MEASURED[number].processes for number in numbers):
            self.say(f"measuring for {len(numbers)} claims: {_minutes(processes)}")
        answers: dict[int, Finding | str] = {}
        for number in numbers:
            answers[number] = self._settled(number, self.stopwatch)
        return answers

    def _settled(self, number: int, stopwatch: StoredLatency) -> Finding | str:
        try:
            answer = MEASURED[number].settle(stopwatch)
        except InfrastructureFailed:
            raise
        except NegativeAnswer as error:
            return error.message
        self.say(f"  claim {number}: {answer.numbers[0] if answer.numbers else answer.remark}")
        return answer

    def _of_stopwatch(self, claim: Claim, part: Part, answer: Finding | str) -> Evidence:
        if isinstance(answer, str) or self.stopwatch is None:
            open_ = Finding(claim=part.states, holds=None, numbers=(), remark=str(answer))
            needs = f"a latency to measure: nas rediscover {claim.number} --latency SPEC"
            return Evidence(kind="measured", finding=open_, needs=needs, premise=part.premise)
        return Evidence(
            kind="measured",
            finding=answer,
            where=f"{self.stopwatch.latency.metric.name} on {self.stopwatch.latency.device().label}",
            needs=_closer(answer),
            premise=part.premise,
        )

    # Judged

    def _judged(self, claims: Sequence[Claim]) -> "dict[Shown, Judged]":
        """What each judge says of the strategies that the claims are about."""
        if self.stopwatch is None or self.milliseconds is None:
            return {}
        judged: dict[Shown, Judged] = {}
        kinds: list[Kind] = ["trained", "dense"]
        for kind in kinds:
            parts = [(claim.number, kind) for claim in claims if _has(claim, kind)]
            if kind in self.judges and parts:
                questions = {TRAINED[part].question for part in parts}
                judged[kind] = self._asked(self.judges[kind], questions, self.scalings, self.stopwatch)
            elif kind == "trained" and self.foresees:
                questions = {TRAINED[part].question for part in parts if TRAINED[part].seen}
                if questions:
                    judged["predicted"] = self._asked(self.foresees, questions, (FORESEEN,), self.stopwatch)
        return judged

    def _asked(
        self, judge: Evaluator, questions: set[str], scalings: Sequence[str], stopwatch: StoredLatency
    ) -> "Judged":
        assert self.milliseconds is not None
        asked = [each for each in QUESTIONS if each.name in questions]
        networks = len({each.name for question in asked for each in question.strategies}) * len(scalings)
        target = f"{networks} networks at {self.milliseconds:g} ms"
        self.say(f"{target}, judged by {judge.metric.name}: {_minutes(networks * ATTEMPTS_EACH)} for the latencies")
        experiment = Experiment(
            stopwatch=stopwatch, metric=judge, milliseconds=self.milliseconds, say=self.say, scalings=scalings
        )
        try:
            report = experiment.report(asked)
        except InfrastructureFailed:
            raise
        except NegativeAnswer as error:
            return Judged(judge=judge, problem=error.message)
        built = [entry.network for answer in report.answers for each in answer.standings for entry in each.entries]
        made = [known for each in dict.fromkeys(built) if (known := stopwatch.store.recall(each, judge.context()))]
        return Judged(
            judge=judge,
            answers={answer.name: answer for answer in report.answers},
            skills=tuple(each.skill for each in made if each.skill is not None),
            sentence=next((each.validity for each in made if each.validity), ""),
        )

    def _of_judge(self, claim: Claim, part: Part, judged: "Mapping[Shown, Judged]") -> Evidence:
        prediction = TRAINED[claim.number, part.kind]
        known = judged.get(part.kind)
        if known is None or prediction.question not in known.answers:
            remark = known.problem if known else self._why_untrained(part.kind)
            open_ = Finding(claim=part.states, holds=None, numbers=(), remark=remark)
            return Evidence(kind=part.kind, finding=open_, needs=_trainings(claim, part))
        answer, unit = known.answers[prediction.question], known.judge.metric.unit.replace("%", "points")
        found = finding(prediction, part.states, answer, unit, known.unfit)
        needs = ""
        if found.holds is None:
            needs = LONGER if known.unfit else pairs_needed(prediction, answer) or _trainings(claim, part)
        return Evidence(kind=part.kind, finding=found, where=self._at_latency(), validity=known.validity, needs=needs)

    def _why_untrained(self, kind: Kind) -> str:
        return self.missing or ("no dense task was trained" if kind == "dense" else "no accuracy on data")

    def _foreseen(self, claim: Claim, part: Part, judged: "Mapping[Shown, Judged]") -> Iterator[Evidence]:
        """What published networks predict, where they can see it."""
        prediction, known = TRAINED[claim.number, part.kind], judged.get("predicted")
        if part.kind != "trained" or not prediction.seen or known is None or prediction.question not in known.answers:
            return
        found = finding(prediction, part.states, known.answers[prediction.question], "points")
        yield Evidence(kind="predicted", finding=found, where=self._at_latency(), validity=known.validity)

    def _at_latency(self) -> str:
        assert self.stopwatch is not None
        return (
            f"networks of {self.milliseconds:g} ms by {self.stopwatch.latency.metric.name} "
            f"on {self.stopwatch.latency.device().label}"
        )


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The answers of one judge by question, and how far it can be trusted; or the problem that there are none."""

    judge: Evaluator
    answers: Mapping[str, Answer] = field(default_factory=dict)
    skills: tuple[float, ...] = ()
    sentence: str = ""
    problem: str = ""

    @property
    def validity(self) -> str:
        """How far this judge can be trusted, for people."""
        if not isinstance(self.judge, Fidelity):
            return f"{self.judge.metric.name}: {self.sentence}"
        skills = f"; skill above chance {min(self.skills):.2f} to {max(self.skills):.2f}" if self.skills else ""
        return f"{self.judge.name()} on {self.judge.fidelity}{skills}; {LIMITS}"

    @property
    def unfit(self) -> str:
        """Why nothing can be concluded from its numbers; empty if it can."""
        if not isinstance(self.judge, Fidelity) or (self.skills and min(self.skills) >= TRANSIENT):
            return ""
        return f"some networks have hardly begun to learn (a skill below {TRANSIENT:g}): their order means nothing"


def _wanted(claims: Sequence[Claim]) -> list[int]:
    """The numbers of claims that the stopwatch has to do with, in the order in which they are measured."""
    return [number for number in MEASURED if any(each.number == number and _has(each, "measured") for each in claims)]


def _minutes(processes: int) -> str:
    return f"about {max(1, round(processes * SECONDS / 60))} min if nothing is stored"


def _has(claim: Claim, kind: Kind) -> bool:
    return any(part.kind == kind for part in claim.parts)


def _more(found: Finding) -> str:
    return "" if found.holds is not None else "published results of more families: intervals include 0"


def _closer(found: Finding) -> str:
    """What would decide an open measurement: what its remark asks for, or narrower intervals."""
    if found.holds is not None:
        return ""
    return found.remark if not found.numbers else "narrower intervals: a calmer machine, or a device that differs more"


def _trainings(claim: Claim, part: Part) -> str:
    """How many trainings the claim would take, and by which command."""
    prediction = TRAINED[claim.number, part.kind]
    strategies = next(len(each.strategies) for each in QUESTIONS if each.name == prediction.question)
    command = f"nas rediscover {claim.number} --at LATENCY {'--dense' if part.kind == 'dense' else '--data DIR'}"
    count, depths = strategies * len(USUAL) * SEEDS, len(USUAL)
    return f"{count} trainings ({strategies} strategies, {depths} depths, {SEEDS} seeds): {command} --seeds {SEEDS}"
