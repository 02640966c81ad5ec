"""How deltas are put into unmodified Hugging Face models: one module per architecture, one `inject`."""
