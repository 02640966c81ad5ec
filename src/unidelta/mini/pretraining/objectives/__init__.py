"""Pretraining objectives of the shipped backbones, one per file, named by architecture."""
