"""The door for programs: /api/v1/. Each file mirrors a room; errors are problem+json (RFC 9457)."""
