"""Functional forms, one per file: formula, sizes, counts, rules and conventions; no torch."""
