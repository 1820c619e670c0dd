"""What each command does, one file for each; `nas/cli.py` declares their options."""
