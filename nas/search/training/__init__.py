"""Real evaluations within a run: how many fit into the time, their learning rate, which networks, and rungs."""
