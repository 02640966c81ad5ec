"""What users add, and where it is found: folders, installed packages, registries."""
