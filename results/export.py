"""Taking a network out: files that are checked before they are called done."""

from pathlib import Path

from results import files
from search_spaces import Architecture
from search_spaces.common.errors import UsageError


def write_config(architecture: Architecture, path: Path, *, force: bool = False) -> str:
    """Writes an architecture as JSON, loads it again and builds the network from it. Returns a line about the network.

    Raises:
        UsageError: the file exists and `force` was not given.
        NegativeAnswer: the file cannot be written.
    """
    if path.exists() and not force:
        raise UsageError(f"'{path}' exists", "give --force to overwrite it, or another name with -o")
    summary = _check(architecture)
    files.replace(path, architecture.to_json())
    return summary


def _check(architecture: Architecture) -> str:
    import torch

    from search_spaces.nextvit.network import NextViT

    loaded = Architecture.from_json(architecture.to_json())
    assert loaded == architecture, "an architecture must survive its own JSON"
    with torch.device("meta"):  # shapes without memory
        network = NextViT(loaded)
        logits = network.eval()(torch.empty(1, 3, 224, 224))
    assert logits.shape == (1, 1000)
    return f"{sum(parameter.numel() for parameter in network.parameters()):,} parameters"
