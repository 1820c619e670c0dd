"""The shape of a network in a few numbers."""

from results.store.record import Trial


def shape(trial: Trial) -> dict[str, int]:
    """Numbers of blocks and transformers, where the first transformer stands, and the widths of the late stages.

    The page works out the same numbers: see results/assets/page/1-state.js.
    """
    stages = trial.architecture.stages
    kinds, blocks = "".join(stage.blocks for stage in stages), trial.architecture.blocks
    return {
        "blocks": len(kinds),
        "blocks in stage 3": len(stages[2].blocks),
        "transformers": kinds.count("T"),
        "first transformer": kinds.find("T") + 1 or len(kinds) + 1,
        "width of stage 3": blocks[2][-1].out_channels,
        "width of stage 4": blocks[3][-1].out_channels,
    }
