"""The Next-ViT family (arXiv 2207.05501): what a network is, and the network itself.

`architecture` is standard library only; `blocks` and `network` need torch.
"""
