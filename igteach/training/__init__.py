"""The programs that made the shipped weights."""
