"""Pretraining of the miniature's backbones: text, noise, recipe, probes."""
