"""A run as its search changes it, which does not go through all trials for every candidate."""

from dataclasses import replace

from results import front
from results.store.record import Run, Trial


class RunState:
    """A run, with its trials by state."""

    def __init__(self, run: Run) -> None:
        self.read(run)

    def read(self, run: Run) -> None:
        """Takes up a run as it was read anew."""
        self.run = run
        self.running = [trial for trial in run.trials if trial.state == "running"]
        self.finished = [trial for trial in run.trials if trial.state != "running"]  # succeeded, failed, or predicted
        self.leading = _leading(run)  # the same run with its front and its anchors alone, as far as they are finished
        self.measured = sum(trial.state != "predicted" for trial in self.finished)  # those that the budget counts

    def begin(self, trial: Trial) -> None:
        """Adds a trial that is running."""
        self.running.append(trial)
        self.run = replace(self.run, trials=(*self.run.trials, trial))

    def finish(self, trial: Trial) -> None:
        """Replaces a running trial by the finished one."""
        self.running = [each for each in self.running if each.number != trial.number]
        self.finished.append(trial)
        self.leading = _leading(replace(self.leading, trials=(*self.leading.trials, trial)))
        self.measured += trial.state != "predicted"
        trials = list(self.run.trials)
        place = next(place for place in reversed(range(len(trials))) if trials[place].number == trial.number)
        trials[place] = trial
        self.run = replace(self.run, trials=tuple(trials))


def _leading(run: Run) -> Run:
    """The run with nothing but the trials of its front and its anchors."""
    members = {trial.number for trial in front.front(run)}
    kept = (trial for trial in run.trials if trial.number in members or (trial.anchor and trial.succeeded))
    return replace(run, trials=tuple(kept))
