"""Device files: one TOML file a chip, every figure with its source."""
