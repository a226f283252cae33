"""numba kernels over Arrow string buffers: arithmetic only, no I/O, no Python objects, the GIL released."""
