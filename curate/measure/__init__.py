"""Stage 1: every text read once, cleaned, and measured: signals and sketches, one row a document."""
