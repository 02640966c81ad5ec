"""Is the network there? Servers are probed with short timeouts before a library waits for them."""
