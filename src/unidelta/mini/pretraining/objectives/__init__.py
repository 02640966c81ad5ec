"""How the shipped backbones are pretrained, one a file, by the name of the architecture."""
