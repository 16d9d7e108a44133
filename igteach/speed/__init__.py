"""Ways to the same answers in less time."""
