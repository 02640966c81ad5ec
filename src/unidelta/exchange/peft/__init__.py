"""Folders of peft: adapter_config.json and adapter_model.safetensors."""
