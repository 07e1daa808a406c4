"""Ways of an envelope to a partner. Each carries the same bytes."""
