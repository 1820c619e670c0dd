"""The shape of a network in a few numbers."""

from results.store.record import Trial
from search_spaces.nextvit.stage import TRANSFORMERS


def shape(trial: Trial) -> dict[str, int]:
    """Numbers of blocks and transformers, where the first transformer stands, and the widths of the late stages.

    Networks of other families have no such numbers.
    The page works out the same numbers: see results/assets/page/1-state.js.
    """
    stages = trial.stages
    if not stages:
        return {}
    kinds = "".join(stage.blocks for stage in stages)
    transformers = [place for place, kind in enumerate(kinds) if kind in TRANSFORMERS]
    return {
        "blocks": len(kinds),
        "blocks in stage 3": len(stages[2].blocks),
        "transformers": len(transformers),
        "first transformer": min(transformers, default=len(kinds)) + 1,
        "width of stage 3": stages[2].width(stages[2].blocks[-1]),
        "width of stage 4": stages[3].width(stages[3].blocks[-1]),
    }
