"""A network of any family from its JSON, whose schema says which family it is; and one of our own family."""

from search_spaces.common import texts
from search_spaces.common.errors import InvalidArchitecture, UsageError
from search_spaces.common.network import Network
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
    try:
        data = texts.from_json(text)
    except ValueError as error:
        raise InvalidArchitecture("architecture", f"not JSON: {error}") from None
    return from_dict(data)


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
