"""Files between nodes."""
