"""Weight sharing: one set of weights for all networks of a space, trained along one path at a time or as a mixture."""
