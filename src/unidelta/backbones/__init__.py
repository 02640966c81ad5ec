"""Where a backbone's weights and tokenizer come from."""
