"""A run as its search changes it, which does not go through all trials for every candidate."""

from dataclasses import replace

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
        self.measured = sum(trial.state != "predicted" for trial in self.finished)  # those that the budget counts

    def begin(self, trial: Trial) -> None:
        """Adds a trial that is running."""
        self.running.append(trial)
        self.run = replace(self.run, trials=(*self.run.trials, trial))

    def finish(self, trial: Trial) -> None:
        """Replaces a running trial by the finished one."""
        self.running = [each for each in self.running if each.number != trial.number]
        self.finished.append(trial)
        self.measured += trial.state != "predicted"
        trials = list(self.run.trials)
        place = next(place for place in reversed(range(len(trials))) if trials[place].number == trial.number)
        trials[place] = trial
        self.run = replace(self.run, trials=tuple(trials))
