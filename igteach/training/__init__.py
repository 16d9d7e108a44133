"""The programs that made the shipped weights: `python -m igteach.training NAME`."""
