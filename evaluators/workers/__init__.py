"""Evaluations in processes of their own: on this machine, under another interpreter, over SSH, and in parallel."""
