"""The sampler `screen`: models judge a pool of candidates, and the one that should widen the front most is evaluated.

`pool` makes the candidates, `surrogate` models an objective, `gain` is the expected gain in hypervolume, `views` says
what may be known of networks, `screening` chooses, and `sampler` is the whole as a sampler of Optuna.
"""
