"""numba loops over Arrow string buffers: arrays in, arrays out, no I/O and no Python objects."""
