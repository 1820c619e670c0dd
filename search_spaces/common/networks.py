"""A network of any family: from what a person names, and from its JSON, whose schema says which family it is."""

from pathlib import Path

from search_spaces.common.errors import UsageError
from search_spaces.common.network import Network
from search_spaces.nextvit import reading
from search_spaces.nextvit.architecture import Architecture
from search_spaces.peers import timm_network
from search_spaces.peers.timm_network import TimmNetwork


def from_dict(data: object) -> Network:
    """The inverse of a network's `to_dict`.

    Raises:
        InvalidArchitecture: no network, of another schema, or not buildable.
    """
    if isinstance(data, dict) and data.get("schema") == timm_network.SCHEMA:
        return TimmNetwork.from_dict(data)
    return Architecture.from_dict(data)


def from_json(text: str) -> Network:
    """The inverse of a network's `to_json`.

    Raises:
        InvalidArchitecture: not JSON, or no network.
    """
    return from_dict(reading.from_json_text(text))


def find(text: str) -> Network:
    """The network of a name of the paper, a notation, a JSON text, a JSON or YAML file, or `timm:` and a model of timm.

    Raises:
        UnknownName: the text is none of these, or timm has no such model.
        InvalidArchitecture: no network can be built from it.
        UsageError: the file cannot be read, or the model of timm is named with weights.
    """
    if text.startswith(timm_network.PREFIX):
        from search_spaces.peers import timm_models  # imports timm: seconds

        return timm_models.named(text.removeprefix(timm_network.PREFIX))
    if text.startswith("{"):
        return from_json(text)
    return read(Path(text)) if reading.names_file(text) else reading.find(text)


def read(path: Path) -> Network:
    """The network of a JSON or YAML file.

    Raises:
        UsageError: the file cannot be read, or is too large.
        InvalidArchitecture: it is not JSON or YAML, or nothing can be built from it.
    """
    return from_dict(reading.loaded(path))


def ours(network: Network) -> Architecture:
    """The network itself, where it is one of the Next-ViT family.

    Raises:
        UsageError: it is of another family.
    """
    if not isinstance(network, Architecture):
        raise UsageError(
            f"{network} is of another family, and this is for networks of the Next-ViT family",
            "nas measure, nas run --anchor and nas export take networks of every family",
        )
    return network
