"""Checks for who adds a form, a generator, a composition or an architecture: `python -m unidelta.check form NAME`."""
