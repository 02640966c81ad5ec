"""What every command does around its work: start quickly, end quietly."""
