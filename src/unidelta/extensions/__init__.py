"""Users' extensions: folders, installed packages, registries."""
