"""numba kernels over Arrow string buffers: arithmetic only, no I/O, no Python objects, the GIL released."""


def warm_up() -> None:
    """Compile every kernel, or load it from numba's cache, by running it on a few bytes.

    Call it in a process of its own to compile beside other work; what it compiled stays in the cache on disk.
    """
    import numpy as np

    from classifiers.kernels import features, outputs, vocabulary
    from classifiers.tables import frozen

    starts, lengths, counts = np.zeros(2, np.int64), np.zeros(2, np.int64), np.zeros(2, np.int64)
    entries = frozen(np.frombuffer(b"a\0" + bytes(8) + b"\0" + b"b\0" + bytes(8) + b"\1", np.uint8))
    vocabulary.scan_entries(entries, 1, starts, lengths, counts)
    slots = vocabulary.slots_for(1)
    data, offsets = frozen(np.frombuffer(b"a b", np.uint8)), frozen(np.array([0, 3], np.int64))
    vocabulary.build_slots(data, offsets, slots)
    table, kept = frozen(np.zeros((9, 8), np.float32)), frozen(np.zeros((0, 2), np.uint64))
    shape = frozen(np.array([1, 8, 2, 1, 2], np.int64))
    sums, features_found = np.zeros((1, 8), np.float32), np.zeros(1, np.int64)
    features.sum_words(data, offsets, table, frozen(slots), kept, shape, sums, features_found)
    cache = np.zeros((4, features.HEADER + 8), np.float32)
    heads, newest = cache.view(np.uint64), np.zeros(2, np.uint8)
    features.sum_subwords(
        data, offsets, table, frozen(slots), kept, shape, cache, heads, newest, sums, features_found
    )  # fmt: skip

    values = np.zeros((1, 2), np.float32)
    left, right = np.zeros(3, np.int64), np.zeros(3, np.int64)
    outputs.project(sums, features_found, frozen(np.zeros((8, 2), np.float32)), values)
    outputs.softmax(values)
    outputs.sigmoid(values)
    outputs.build_tree(frozen(np.array([2, 1], np.int64)), left, right)
    outputs.tree(values, frozen(left), frozen(right))
    outputs.best(values, features_found, np.zeros(1, np.int32), np.zeros(1, np.float32))
