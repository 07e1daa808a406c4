"""The few roads across rooms: arrive, select, inspect, share, receive. Thin: no decisions and no tables of their own."""
