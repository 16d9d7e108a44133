"""The networks of the lessons: plain modules, and the weights that are shipped for them."""
