"""The checkpoint of a training run: one safetensors file with tensors by name and the state as JSON in its header.

It is not a pickle, so reading it runs no code. It is written under another name and then renamed: a process that is
killed leaves the complete checkpoint of this epoch or of the one before.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.common import files
from search_spaces.common.errors import NegativeAnswer

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

STATE = "nas.training"  # key of the header
START_AGAIN = "start a new training run in another folder"
NETWORK, AVERAGED, OPTIMIZER = "network.", "averaged.", "optimizer."


@dataclass(kw_only=True)
class State:
    """The state of a training run, without its tensors. Random choices follow from seed and epoch."""

    epoch: int = 0  # the last one that was finished
    step: int = 0
    microbatch: int = 0
    best: float = -1.0  # top-1 in percent
    best_epoch: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)
    accuracies: dict[str, float] = field(default_factory=dict)  # of the last epoch, by head, from 0 to 1
    validated: int = 0  # validation images in the last epoch
    bad: int = 0  # images that could not be read
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The tensors of a training run: of the network, of its running average if there is one, and of the optimiser."""

    network: "nn.Module"
    averaged: "nn.Module | None"
    optimizer: "torch.optim.Optimizer"

    def write(self, path: Path, state: State) -> None:
        """Writes a checkpoint.

        Raises:
            NegativeAnswer: it cannot be written there.
        """
        tensors = {NETWORK + name: value for name, value in self.network.state_dict().items()}
        if self.averaged:
            tensors |= {AVERAGED + name: value for name, value in self.averaged.state_dict().items()}
        for number, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"{OPTIMIZER}{number}.{name}": value for name, value in values.items()}
        write(path, tensors, {STATE: json.dumps(asdict(state))})

    def read(self, path: Path) -> State:
        """Restores a checkpoint and returns its state.

        Raises:
            NegativeAnswer: it cannot be read, or belongs to another training.
        """
        tensors, header = read(path)
        try:
            state = State(**json.loads(header[STATE]))
            self.network.load_state_dict(_part(tensors, NETWORK))
            if self.averaged:
                self.averaged.load_state_dict(_part(tensors, AVERAGED))
            self._restore_optimizer(_part(tensors, OPTIMIZER))
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise NegativeAnswer(f"'{path}' is not a checkpoint of this training: {reason:.200}", START_AGAIN) from None
        return state

    def _restore_optimizer(self, tensors: "Mapping[str, Tensor]") -> None:
        import torch

        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            number, key = name.split(".", 1)
            parameter = parameters[int(number)]
            if value.shape == parameter.shape:  # in the memory layout of the parameter, as the optimiser created it
                value = torch.empty_like(parameter).copy_(value)
            state.setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})


def _part(tensors: "Mapping[str, Tensor]", prefix: str) -> "dict[str, Tensor]":
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def write(path: Path, tensors: "Mapping[str, Tensor]", header: Mapping[str, str] | None = None) -> None:
    """Writes tensors by name, completely or not at all.

    Raises:
        NegativeAnswer: they cannot be written there.
    """
    from safetensors.torch import save

    on_cpu = {name: value.detach().contiguous().cpu() for name, value in tensors.items()}
    with files.replacing(path, sole_writer=True) as temporary:
        temporary.write_bytes(save(on_cpu, dict(header or {})))  # save_file gives the file a mode that shuts others out


def read(path: Path) -> "tuple[dict[str, Tensor], dict[str, Any]]":
    """Reads tensors by name, and the header.

    Raises:
        NegativeAnswer: the file is damaged, or cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}, opened.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise NegativeAnswer(f"'{path}' cannot be read: {error}", f"it may be incomplete: {START_AGAIN}") from None
