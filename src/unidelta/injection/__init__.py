"""Inject deltas into a model: freeze the backbone, attach, mark what trains, merge, save, remove."""
