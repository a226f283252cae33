"""Text in, scores out: fastText models compiled to numba kernels."""
