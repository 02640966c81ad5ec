"""Folders of adapters: adapter_config.json and adapter.safetensors, with a head's files beside them."""
