"""What only makes deltas faster: one trick a file, each with the identity it rests on; the core knows nothing of it.

`fast=false` on the command line, or `unidelta.inject(…, fast=False)`, leaves all of it out.
"""
