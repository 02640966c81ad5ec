"""Exchange of deltas with other libraries: peft, adapters, the authors' released code, and plain transformers."""
