"""A full training: the real accuracy of one network, by the official recipe or another, on one device or several.

It lives in a folder (`training_folder.py`) and resumes from there after any interruption: at most the current epoch is
lost. On a CPU a resumed training reaches bit for bit the result of an uninterrupted one.
"""

from collections.abc import Callable
from pathlib import Path

from evaluators.core.measurement import Measurement
from evaluators.datasets.sources import opened
from evaluators.training.loaders import Loaders
from evaluators.training.loop import within_memory
from evaluators.training.plan import Listener, Plan
from evaluators.training.processes import Processes, join
from evaluators.training.training_folder import TrainingFolder
from evaluators.training.training_run import TrainingRun, images_at_once
from search_spaces.common.errors import MeasurementFailed


def train_fully(plan: Plan, path: Path, *, resume: bool = False, listener: Listener | None = None) -> Measurement:
    """Trains a network to the end of its schedule and returns its accuracy on the validation images.

    Raises:
        Unavailable: no such data, or too few devices.
        UsageError: the folder is taken, or holds another training.
        NegativeAnswer: too many images cannot be read, or the folder cannot be written.
        MeasurementFailed: the loss is no longer finite, or the device has no memory for two images.
    """
    listener, folder, processes = listener or Listener(), TrainingFolder(path), join()
    if processes.first and not resume:
        folder.refuse_if_taken()
    source = opened(plan.data, plan.recipe.resolution, say=listener.say)
    if resume:
        folder.check(plan.described(source))
        if result := folder.plan()["result"]:
            return Measurement.from_dict(result)
    loaders = Loaders(source, plan.recipe, processes)
    listener.say(
        f"{len(source.train)} images of {source.classes} classes to train on, {len(source.valid)} to validate on; "
        f"{processes.count} x {processes.device.partition(':')[0]}"
    )
    for remark in source.remarks:
        listener.say(remark)

    def attempt(microbatch: int) -> Measurement:
        return TrainingRun(plan, folder, loaders, processes, microbatch, listener).run()

    at_once = images_at_once(plan.recipe, processes)
    if processes.count == 1:
        return within_memory(attempt, at_once)
    return _in_step(attempt, at_once, processes)


def _in_step(attempt: Callable[[int], Measurement], at_once: int, processes: Processes) -> Measurement:
    """One attempt with whole batches: a process that split its batch alone would leave the others waiting for ever."""
    import torch

    try:
        return attempt(at_once)
    except torch.OutOfMemoryError:
        raise MeasurementFailed(
            f"{at_once} images do not fit into the memory of {processes.device}",
            "lower the batch size, or start more processes",
        ) from None
