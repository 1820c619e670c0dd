"""One file per command; `nas/cli.py`, `cli_networks.py` and `cli_training.py` declare their options."""
