"""Functional forms, one a file: formula, sizes, counts, rules and conventions; no torch."""
