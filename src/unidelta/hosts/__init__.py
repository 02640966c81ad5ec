"""Modules of a model that deltas live in: subclasses of the stock ones, which know where the equation is applied."""
