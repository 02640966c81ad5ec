"""Whether servers can be reached: probes with short timeouts, before a library waits for them."""
