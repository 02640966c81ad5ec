"""Many runs from one file: planned by Hydra's own parser, done by a few worker processes, skipped where done."""
