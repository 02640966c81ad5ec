"""The shipped backbones, one a file; no torch."""
