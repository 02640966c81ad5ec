"""Generators of matrices, one per file: formula, counts and rules; no torch."""
