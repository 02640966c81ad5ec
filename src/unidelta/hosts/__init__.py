"""Modules that hold deltas: subclasses of stock modules that apply the equation in the right place."""
