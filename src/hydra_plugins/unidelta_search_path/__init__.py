"""Hydra finds the YAML of added folders and of installed packages."""
