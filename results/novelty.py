"""Which networks are unlike anything published: a search that exploits its objective ends in such networks."""

from collections.abc import Sequence
from functools import lru_cache

from evaluators.prediction.published_guard import UNLIKE, unlike
from results.store.record import Trial
from search_spaces import Network
from search_spaces.common.errors import Unavailable


@lru_cache(maxsize=20_000)
def reasons(network: Network) -> tuple[str, ...]:
    """In what a network is unlike published ones, as sentences; empty if it is like them, or nothing is known."""
    try:
        return tuple(unlike(network))
    except Unavailable:  # the table is damaged: `nas doctor` and the evaluator `published` say so
        return ()


def remarks(members: Sequence[Trial]) -> list[str]:
    """A sentence on the networks of a front that are unlike anything published, if there are any."""
    strange = [trial for trial in members if reasons(trial.architecture)]
    if not strange:
        return []
    first = strange[0]
    return [
        f"{len(strange)} of {len(members)} networks on the front {'are' if len(strange) > 1 else 'is'} {UNLIKE}, for "
        f"example trial {first.number}: {'; '.join(reasons(first.architecture))}. Nobody has shown that such networks "
        "train well: a score may have been exploited."
    ]
