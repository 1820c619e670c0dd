"""The commands of the study: strategies compared at one latency, and claims about Next-ViT."""
