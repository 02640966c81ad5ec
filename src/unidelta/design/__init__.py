"""The design space of the paper as data: what can be tuned, what combines with what, and what it costs."""
