"""The hashes that a fastText model needs of a word, byte by byte.

Does not look anything up.
"""

from __future__ import annotations

from numba import njit, uint8, uint32, uint64

FNV_START = 2166136261
KEY_START = 0xCBF29CE484222325


@njit(nogil=True, cache=True, inline="always")
def fnv_step(state, byte):
    """FNV-1a as fastText has it: the byte is taken as signed and sign-extended to 32 bits."""
    wide = uint32(byte) if byte < uint8(128) else uint32(byte) | uint32(0xFFFFFF00)
    return uint32((state ^ wide) * uint32(16777619))


@njit(nogil=True, cache=True, inline="always")
def key_step(state, byte):
    """64-bit FNV-1a. It names a word in our tables; two words that share it would be taken for one."""
    return uint64((state ^ uint64(byte)) * uint64(0x100000001B3))


@njit(nogil=True, cache=True, inline="always")
def key_end(state):
    """Mix the 64-bit hash so that its low bits depend on all; never 0, which marks an empty slot."""
    state ^= state >> uint64(32)
    state = uint64(state * uint64(0xD6E8FEB86659FD93))
    state ^= state >> uint64(32)
    return state | uint64(1)


def fnv_of(text: bytes) -> int:
    """Return fastText's hash of a word or n-gram, unsigned 32 bits; the slow twin of `fnv_step`."""
    fnv = FNV_START
    for byte in text:
        fnv = ((fnv ^ (byte | 0xFFFFFF00 if byte >= 128 else byte)) * 16777619) & 0xFFFFFFFF
    return fnv


def key_of(word: bytes) -> int:
    """Return the key of a word in our tables; the slow twin of `key_step` and `key_end`."""
    key = KEY_START
    for byte in word:
        key = ((key ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    key ^= key >> 32
    key = (key * 0xD6E8FEB86659FD93) & 0xFFFFFFFFFFFFFFFF
    key ^= key >> 32
    return key | 1
