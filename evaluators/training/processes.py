"""One training in several processes, each with its own device, started by `torchrun`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search_spaces.common.errors import Unavailable

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Processes:
    """The position of this process among those of the training: its number, their count, and its device."""

    number: int = 0
    count: int = 1
    device: str = "cpu"

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and messages."""
        return self.number == 0

    def sum(self, values: Sequence[float]) -> list[float]:
        """The sum of each value over all processes."""
        if self.count == 1:
            return list(values)
        import torch
        import torch.distributed as dist

        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return total.tolist()

    def union(self, marks: "Tensor") -> None:
        """Merges marks (N,) in place: a mark of any process becomes one of all."""
        if self.count > 1:
            import torch.distributed as dist

            merged = marks.to(self.device)
            dist.all_reduce(merged, dist.ReduceOp.MAX)
            marks.copy_(merged)

    def shared(self, network: "nn.Module") -> "nn.Module":
        """The network with gradients that are averaged over all processes."""
        if self.count == 1:
            return network
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(network, device_ids=[self.device] if self.device != "cpu" else None)

    def average_norms(self, network: "nn.Module") -> None:
        """Averages the running statistics of all norms over the processes, which have seen different images."""
        if self.count > 1:
            from timm.utils.distributed import distribute_bn

            distribute_bn(network, self.count, reduce=True)  # type: ignore[no-untyped-call]


def running() -> bool:
    """Whether `torchrun` started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first() -> bool:
    """Whether this process writes files and messages; true if it is the only one."""
    return not running() or os.environ.get("RANK") == "0"


def join() -> Processes:
    """Joins the other processes, if `torchrun` started several; returns the position of this one.

    Raises:
        Unavailable: there are fewer GPUs than processes.
    """
    import torch
    import torch.distributed as dist

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not running():
        return Processes(device="cuda" if gpus else "cpu")
    local = int(os.environ["LOCAL_RANK"])
    if gpus and local >= gpus:
        raise Unavailable(f"process {local + 1} of this machine has no GPU: there are {gpus}", "start fewer processes")
    device = f"cuda:{local}" if gpus else "cpu"
    if gpus:
        torch.cuda.set_device(local)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if gpus else "gloo")
    return Processes(number=dist.get_rank(), count=dist.get_world_size(), device=device)


def leave() -> None:
    """Leaves the group of processes, if there is one."""
    import torch.distributed as dist

    if running() and dist.is_initialized():
        dist.destroy_process_group()
