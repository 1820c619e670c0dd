"""The controlled experiment behind `nas strategies`: hybrid strategies at one measured latency."""
