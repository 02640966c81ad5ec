"""Metrics: pure functions from predictions and references to numbers; one metric a file, each registering itself."""
