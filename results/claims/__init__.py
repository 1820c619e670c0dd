"""The claims of Next-ViT: what each predicts, the evidence for and against it, and the report of `nas rediscover`."""
