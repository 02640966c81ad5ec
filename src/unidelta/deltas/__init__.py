"""Deltas as torch modules: functional forms, their compositions, and how their parameters are made."""
