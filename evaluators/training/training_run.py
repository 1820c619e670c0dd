"""A training run: one process's part of a full training, from its checkpoint, if there is one, to its end."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from evaluators.core.measurement import ANYWHERE, Measurement, SharedDetails, further_key, now
from evaluators.statistics.intervals import normal, share_error
from evaluators.training import checkpoints
from evaluators.training.checkpoints import Parts, State
from evaluators.training.loaders import Loaders
from evaluators.training.loop import Loop, answers, step_down_note
from evaluators.training.plan import Listener, Plan, data_label, versions
from evaluators.training.processes import Processes
from evaluators.training.recipe import FullRecipe
from evaluators.training.training_folder import TrainingFolder
from evaluators.training.validation import TOP, ValidationResult, validate

if TYPE_CHECKING:
    import torch
    from torch import nn

WARMUP_FROM, LOWEST = 1e-6, 1e-5  # learning rates (official code)
MOST_AT_ONCE = 256  # images on a device, as on each of the eight of the official training


def images_at_once(recipe: FullRecipe, processes: Processes) -> int:
    """Images that one process puts on its device at a time, if its memory holds them."""
    return min(recipe.batch_size // processes.count, MOST_AT_ONCE)


class TrainingRun:
    """A training in progress: its network, its loop and its state."""

    def __init__(
        self,
        plan: Plan,
        folder: TrainingFolder,
        loaders: Loaders,
        processes: Processes,
        microbatch: int,
        listener: Listener,
    ) -> None:
        from timm.utils.model_ema import ModelEmaV3

        self.plan, self.recipe, self.folder, self.loaders = plan, plan.recipe, folder, loaders
        self.processes, self.listener, self.state = processes, listener, State(microbatch=microbatch)
        self.network = self._network()
        self.average = ModelEmaV3(self.network, decay=self.recipe.ema) if self.recipe.ema else None
        self.loop = self._loop(microbatch)
        averaged = self.average.module if self.average else None
        self.parts = Parts(network=self.network, averaged=averaged, optimizer=self.loop.optimizer)
        if folder.checkpoint.exists():
            self._restore()

    @property
    def judged(self) -> "nn.Module":
        """The network that is validated: the running average, if there is one."""
        return self.network if self.average is None else self.average.module

    def _network(self) -> "nn.Module":
        import torch

        from evaluators.training.short_training import initialise
        from search_spaces.nextvit.network import NextViT

        architecture, classes = self.plan.architecture, self.loaders.source.classes
        drop_path_rate = self.recipe.dropped(sum(len(row) for row in architecture.blocks))
        torch.manual_seed(self.recipe.seed)
        network = NextViT(architecture, num_classes=classes, drop_path_rate=drop_path_rate)
        if self.recipe.initial == "kaiming":
            initialise(network, self.recipe.seed)
        if self.plan.weights and not self.folder.checkpoint.exists():
            from search_spaces.nextvit.weights import inherit, read

            self.listener.say(f"weights: {inherit(network, read(self.plan.weights)).summary}")
        network.to(self.processes.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def _loop(self, microbatch: int) -> Loop:
        from timm.loss.cross_entropy import SoftTargetCrossEntropy
        from timm.optim._optim_factory import create_optimizer_v2

        recipe = self.recipe
        optimizer = create_optimizer_v2(
            self.network, "adamw", recipe.highest_rate, weight_decay=recipe.weight_decay, fused=True
        )
        return Loop(
            network=self.processes.shared(self.network),
            optimizer=optimizer,
            rate=schedule(optimizer, recipe, self.loaders.steps),
            loss=SoftTargetCrossEntropy(),  # type: ignore[no-untyped-call]
            microbatch=microbatch,
            device=self.processes.device,
            clip=recipe.clip,
            half=recipe.amp,
            after=self._stepped,
        )

    def _restore(self) -> None:
        microbatch = self.state.microbatch
        self.state = self.parts.read(self.folder.checkpoint)
        self.state.microbatch = self.loop.microbatch = min(microbatch, self.state.microbatch)
        self.loop.step = self.state.step
        self.listener.say(f"resuming after epoch {self.state.epoch} of {self.recipe.epochs}")

    def _stepped(self, step: int) -> None:
        if self.average:
            self.average.update(self.network, step)
        epoch, done = divmod(step - 1, self.loaders.steps)
        self.listener.step(epoch + 1, done + 1, self.loaders.steps)

    def run(self) -> Measurement:
        """Trains to the end of the schedule; returns the accuracy after the last epoch."""
        self.listener.begin()
        if self.processes.first and not self.folder.holds_training:
            self.folder.begin(self.plan.described(self.loaders.source))
        for epoch in range(self.state.epoch + 1, self.recipe.epochs + 1):
            self._epoch(epoch)
        measurement = self._measurement()
        if self.processes.first:
            checkpoints.write(self.folder.final, self.judged.state_dict())
            self.folder.finish(measurement.to_dict())
        return measurement

    def _epoch(self, epoch: int) -> None:
        """One epoch with its validation and its checkpoint. An interrupted epoch is repeated as a whole."""
        started = time.perf_counter()
        (total,) = self.processes.sum([self.loop.epoch(self.loaders.training(epoch), epoch)])
        self.processes.average_norms(self.network)
        if self.average:
            self.processes.average_norms(self.average.module)
        result = self._validated()
        row = {
            "epoch": epoch,
            "learning_rate": self.loop.optimizer.param_groups[0]["lr"],
            "train_loss": total / self.loaders.steps / self.recipe.batch_size,
            "validation_loss": result.loss,
            "top1": 100 * result.top1,
            "top5": 100 * result.top5,
            "seconds": time.perf_counter() - started,
        }
        self._advance(row, result)
        if self.processes.first:
            self._write()
        self.listener.epoch(row)

    def _validated(self) -> ValidationResult:
        half, device = self.recipe.amp, self.processes.device
        pairs = answers(self.judged, self.loaders.validation(), device, half=half)
        return validate(pairs, self.loaders.source, self.processes)

    def _advance(self, row: dict[str, float], result: ValidationResult) -> None:
        state, bad = self.state, self.loaders.bad()
        state.epoch, state.step = int(row["epoch"]), self.loop.step
        state.curve.append({name: round(value, 8) for name, value in row.items()})
        state.accuracies, state.validated = result.accuracies, result.images
        if row["top1"] > state.best:
            state.best, state.best_epoch = row["top1"], state.epoch
        if bad:
            remark = self.loaders.remark(bad)
            if bad != state.bad:
                self.listener.say(remark)
            state.bad, state.remarks = bad, [remark]

    def _write(self) -> None:
        """Writes weights and log before the checkpoint, so that everything it refers to exists."""
        if self.state.best_epoch == self.state.epoch:
            checkpoints.write(self.folder.best, self.judged.state_dict())
        self.folder.log(self.state.curve)
        self.parts.write(self.folder.checkpoint, self.state)

    def _measurement(self) -> Measurement:
        state, source, recipe = self.state, self.loaders.source, self.recipe
        skill = source.skill(state.accuracies)
        share = sum(state.accuracies.values()) / len(state.accuracies)
        value = round(100 * (skill if self.plan.data == "synthetic" else share), 4)
        half = round(100 * normal() * share_error(share, state.validated), 4)
        notes = step_down_note(state.microbatch, images_at_once(recipe, self.processes))
        name = data_label(self.plan.data)
        return Measurement(
            metric=self.plan.metric,
            value=value,
            low=max(round(value - half, 4), -100.0 if self.plan.data == "synthetic" else 0.0),
            high=min(round(value + half, 4), 100.0),
            samples=1,
            quality="trained",
            device=ANYWHERE,
            versions=versions(),
            protocol=self.plan.protocol(source.identity),
            when=now(),
            seconds=round(sum(row["seconds"] for row in state.curve), 3),
            warnings=(*source.remarks, *state.remarks, *notes),
            secondary={further_key(f"top-{TOP}", "%"): round(state.curve[-1]["top5"], 4)},
            details={
                **SharedDetails(
                    fidelity=f"{name}, all images, {recipe.resolution} px, {recipe.epochs} epochs, fully trained",
                    skill=round(skill, 5),
                    best={"top1": round(state.best, 4), "epoch": state.best_epoch},
                ),
                "accuracies": [state.accuracies],
                "curves": [state.curve],
                "images": source.identity,
                "samples": recipe.epochs * self.loaders.steps * recipe.batch_size,
                "validation_images": state.validated,
                "recipe": asdict(recipe),
                "processes": self.processes.count,
                "microbatch": state.microbatch,
                "device": self.processes.device.partition(":")[0],
            },
        )


def schedule(optimizer: "torch.optim.Optimizer", recipe: FullRecipe, steps: int) -> Callable[[int], None]:
    """A function that sets the learning rate of a step: linear warm-up, then a cosine that began in the first epoch.

    The official code changes the rate once per epoch; here it changes with every step, for trainings of few epochs.
    """
    from timm.scheduler.cosine_lr import CosineLRScheduler

    scheduler = CosineLRScheduler(
        optimizer,
        t_initial=recipe.epochs * steps,
        lr_min=min(LOWEST, recipe.highest_rate),
        warmup_t=round(recipe.rising * steps),
        warmup_lr_init=min(WARMUP_FROM, recipe.highest_rate),
        t_in_epochs=False,
    )
    return scheduler.step_update
