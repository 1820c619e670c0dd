"""The experiments behind `nas rediscover`: what the stopwatch and trainings say of the claims of Next-ViT."""
