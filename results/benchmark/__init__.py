"""Compares scores and predictions with known accuracies: tables, report and page."""
