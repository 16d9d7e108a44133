"""Beyond gradients at the input: trees, guided paths, layers inside the network, Shapley values."""
