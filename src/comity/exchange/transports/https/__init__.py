"""HTTPS with mutual TLS: push to a partner's port, and the port on which partners push to us."""
