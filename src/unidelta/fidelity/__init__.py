"""Proof of fidelity: our numbers beside the authors', file by file and row by row."""
