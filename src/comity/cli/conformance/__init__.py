"""`comity conformance`: a foreign node checked from outside against docs/protocol.md, step by step."""
