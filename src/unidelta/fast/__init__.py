"""Optimisations, one per file, each with the identity it relies on; the core does not depend on them.

`fast=false` on the command line, or `unidelta.inject(…, fast=False)`, turns all of them off.
"""
