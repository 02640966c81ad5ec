"""How the embedded backbones are made: text, noise, recipe, probes."""
