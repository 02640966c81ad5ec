"""Compositions, one per file: formula, parameters and rules; no torch."""
