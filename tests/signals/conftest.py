from hypothesis import settings

settings.register_profile("signals", deadline=None)  # the first example of a test may load a kernel
settings.load_profile("signals")
