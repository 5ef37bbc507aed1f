"""Stand-alone files before an expression is written into them; read as text, never imported."""
