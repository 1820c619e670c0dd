"""What latency is measured on: CPUs, NVIDIA GPUs and Apple devices, and the engines that run there."""
