"""Deltas into a model, and out of it: freeze the backbone, attach, say what trains, merge, save, remove."""
