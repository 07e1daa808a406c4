"""The few roads across rooms: arrive, select, inspect, share, receive. Thin: no decisions, no tables of their own."""
