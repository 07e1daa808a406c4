"""`comity lab`: several real nodes on this machine, and a scenario that is played on them and judged."""
