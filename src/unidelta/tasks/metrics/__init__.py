"""Metrics: pure functions from predictions and references to numbers; one per file, each registers itself."""
