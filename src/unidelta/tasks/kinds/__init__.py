"""One kind of task a file, each registering itself."""
