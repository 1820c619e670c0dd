"""The state of a search: what its line says comes from few trials, and is what all of them would say."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from nas.search.run_state import RunState
from results import front, verification
from results.store.record import Run
from tests import synthetic

FLAGS = {1: "noisy", 4: "drifted", 6: "noisy"}


@pytest.mark.parametrize("make", [synthetic.typical, lambda: synthetic.doubtful(FLAGS), synthetic.many])
def test_the_leading_trials_say_what_all_of_them_would(make: Callable[[], Run]) -> None:
    whole = make()
    state = RunState(replace(whole, trials=()))
    for trial in whole.trials:
        state.begin(replace(trial, state="running", measurements={}))
        state.finish(trial)
        assert front.front(state.leading) == front.front(state.run)
        assert front.relative_hypervolume(state.leading) == front.relative_hypervolume(state.run)
        assert verification.doubtful(state.leading) == verification.doubtful(state.run)
    assert state.run == whole
    again = RunState(whole)
    kept = {trial.number for trial in again.leading.trials}
    assert kept == {trial.number for trial in state.leading.trials} and len(kept) < len(whole.trials)
