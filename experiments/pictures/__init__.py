"""Pictures of searches and of costs: as a file, as an offline page, as text in the terminal."""
