"""The demo: three invented administrations on one machine, a day of trade, and what follows from it."""
