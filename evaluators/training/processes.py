"""One training in several processes, a device each: what `torchrun` started, and what they tell each other."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search_spaces.common.errors import Unavailable

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Processes:
    """This process among those of the training: its number, how many there are, and its device."""

    number: int = 0
    count: int = 1
    device: str = "cpu"

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.number == 0

    def sum(self, values: Sequence[float]) -> list[float]:
        """Each value, added up over all processes."""
        if self.count == 1:
            return list(values)
        import torch
        import torch.distributed as dist

        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return total.tolist()

    def union(self, marks: "Tensor") -> None:
        """Marks (N,), made whole: what any process has marked is marked in all."""
        if self.count > 1:
            import torch.distributed as dist

            found = marks.to(self.device)
            dist.all_reduce(found, dist.ReduceOp.MAX)
            marks.copy_(found)

    def shared(self, network: "nn.Module") -> "nn.Module":
        """The network, with gradients that are the mean over all processes."""
        if self.count == 1:
            return network
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(network, device_ids=[self.device] if self.device != "cpu" else None)

    def average_norms(self, network: "nn.Module") -> None:
        """Makes the running means and widths of all norms equal: each process has seen images of its own."""
        if self.count > 1:
            from timm.utils.distributed import distribute_bn

            distribute_bn(network, self.count, reduce=True)  # type: ignore[no-untyped-call]


def running() -> bool:
    """Whether `torchrun` started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first() -> bool:
    """Whether this process is the one that writes and speaks; true where there is no other."""
    return not running() or os.environ.get("RANK") == "0"


def join() -> Processes:
    """This process's place in the training; meets the others, where `torchrun` started several.

    Raises:
        Unavailable: there are fewer GPUs than processes.
    """
    import torch
    import torch.distributed as dist

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not running():
        return Processes(device="cuda" if gpus else "cpu")
    mine = int(os.environ["LOCAL_RANK"])
    if gpus and mine >= gpus:
        raise Unavailable(f"process {mine + 1} of this machine has no GPU: there are {gpus}", "start fewer processes")
    device = f"cuda:{mine}" if gpus else "cpu"
    if gpus:
        torch.cuda.set_device(mine)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if gpus else "gloo")
    return Processes(number=dist.get_rank(), count=dist.get_world_size(), device=device)


def leave() -> None:
    """Parts from the other processes, if there are any."""
    import torch.distributed as dist

    if running() and dist.is_initialized():
        dist.destroy_process_group()
