"""Stage 3: the kept documents read again, cleaned the same way and written, with what goes with them."""
