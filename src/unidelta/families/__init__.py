"""Architectures, one per file: where their attentions and FFNs are, by name; no torch until a model is given."""
