"""nas: search the Next-ViT family for the networks on the accuracy/latency front of your own device."""

__all__ = ["__version__"]

__version__ = "0.1.0"
