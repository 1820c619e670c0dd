"""The result of `nas strategies`: questions, their answers at one measured latency, and the page."""
