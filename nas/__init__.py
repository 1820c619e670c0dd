"""nas: search the Next-ViT family for the networks on the accuracy/latency front of your own device."""

__version__ = "0.1.0"
