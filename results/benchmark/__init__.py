"""Scores and predictions compared with known accuracies: the tables, the report and its page."""
