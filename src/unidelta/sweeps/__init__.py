"""Many runs from one file: planned with Hydra's parser, run by worker processes, skipped if complete."""
