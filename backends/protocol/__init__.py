"""The worker's side of the protocol: what a request does, and how a port is found and loaded."""
