"""Architectures, one a file: where their attentions and FFNs are, in names; torch only once a model is given."""
