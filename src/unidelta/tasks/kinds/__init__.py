"""One kind of task per file; each registers itself."""
