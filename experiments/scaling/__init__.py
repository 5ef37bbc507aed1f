"""Compound scaling: the search for depth, width and resolution, the networks it costs, the families it gives."""
