"""Fidelity checks: our numbers compared with the authors', file by file and row by row."""
