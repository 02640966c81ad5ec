"""Configuration: the schema, its composition by Hydra, and its resolution into a frozen `RunSpec`."""
