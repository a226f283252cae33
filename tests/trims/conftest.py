from hypothesis import settings

settings.register_profile("kernels", deadline=None)  # the first example of a test may compile a kernel
settings.load_profile("kernels")
