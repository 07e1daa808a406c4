"""Who holds what was shared: hand-ons, recalls, attestations. Reads in `selectors`, writes in `services`."""
