"""What every method stands on: F and its gradient, paths, the integral and its error."""
