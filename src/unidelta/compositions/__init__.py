"""Compositions, one a file: formula, parameters and rules; no torch."""
