"""Checks for the author of a form, a composition or an architecture: `python -m unidelta.check form NAME`."""
