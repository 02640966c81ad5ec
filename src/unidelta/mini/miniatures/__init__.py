"""The shipped backbones, one per file; no torch."""
