"""`hydra/launcher=pool`, in the namespace in which Hydra looks for plugins."""
