"""Add up the table rows of every feature of a document: its words, word n-grams and character n-grams.

Knows nothing of labels: `classifiers.kernels.outputs` turns the sums into probabilities.

Arrays of a model, the same in both kernels (see `classifiers.tables.Tables`):
`table` float32 (rows, width): a row for each word, then for each bucket (width is below 8 or a multiple of 8);
`slots`: the vocabulary; `kept`: the buckets that pruning kept, see `bucket_row`;
`shape` int64: number of words, of buckets, longest word n-gram, shortest and longest character n-gram.
Results, both given as zeros: `sums` float32 (documents, width), `counts` int64 (documents,).

Rows are always added one after the other in the order of the text, so a document's sum is the same to the last bit
whatever was scored before it and in whichever thread.
"""

from __future__ import annotations

import numpy as np
from numba import int64, njit, uint8, uint32, uint64

from classifiers.kernels.hashing import FNV_START, fnv_step
from classifiers.kernels.rows import add_rows
from classifiers.kernels.vocabulary import find_word
from classifiers.kernels.words import BATCH, next_words

NGRAM_FACTOR = 116049371  # fastText's Dictionary::addWordNgrams
HEADER = 4  # float32 columns of a cache entry that hold its key and count instead
CACHED_BYTES = 48  # a longer "word" (a sentence of Chinese, a URL) hardly comes twice


@njit(nogil=True, cache=True, inline="always")
def ones(bits):
    """The number of bits set; LLVM makes one instruction of it."""
    bits -= (bits >> uint64(1)) & uint64(0x5555555555555555)
    bits = (bits & uint64(0x3333333333333333)) + ((bits >> uint64(2)) & uint64(0x3333333333333333))
    bits = (bits + (bits >> uint64(4))) & uint64(0x0F0F0F0F0F0F0F0F)
    return int64(uint64(bits * uint64(0x0101010101010101)) >> uint64(56))


@njit(nogil=True, cache=True, inline="always")
def bucket_of(fnv, buckets, inverse):
    """Return `fnv % buckets` without a division; inverse = 2**64 // buckets + 1.

    Exact for 32 bits: Lemire, Kaser, Kurz 2019, "Faster remainder by direct computation".
    """
    low = uint64(inverse * uint64(fnv))
    upper = (low >> uint64(32)) * buckets
    lower = ((low & uint64(0xFFFFFFFF)) * buckets) >> uint64(32)
    return int64((upper + lower) >> uint64(32))


@njit(nogil=True, cache=True, inline="always")
def bucket_row(bucket, nwords, kept):
    """Return (table row of an n-gram bucket, 1 or 0 when pruning dropped it and the row means nothing).

    `kept` is empty without pruning. Else uint64 (blocks, 2): for each 64 buckets the bits of those kept and how many
    were kept before; kept buckets lie in the table in ascending order. No branch: whether a bucket was kept is nothing
    that a processor could predict.
    """
    if len(kept) == 0:
        return nwords + bucket, 1
    block = bucket >> 6
    shift = uint64(bucket & 63)
    bits = kept[block, 0]
    before = bits & ((uint64(1) << shift) - uint64(1))
    return nwords + int64(kept[block, 1]) + ones(before), int64((bits >> shift) & uint64(1))


@njit(nogil=True, cache=True)
def word_ngram_rows(hashes, ids, count, chain, order, shape, kept, rows):
    """Write the rows of all word n-grams that end in this batch of words to `rows`; return (their number, new order).

    `chain[n]` holds the hash of the last n words and is carried from batch to batch, `order` the number of words seen.
    """
    nwords, buckets, longest = shape[0], uint64(shape[1]), shape[2]
    found = int64(0)
    for word in range(count):
        if ids[word] >= nwords:
            continue
        own = uint64(int64(hashes[word]))
        for n in range(min(longest, order + 1), 1, -1):
            chain[n] = chain[n - 1] * uint64(NGRAM_FACTOR) + own
            rows[found], is_kept = bucket_row(int64(chain[n] % buckets), nwords, kept)
            found += is_kept
        chain[1] = own
        order += 1
    return found, order


@njit(nogil=True, cache=True)
def sum_words(data, offsets, table, slots, kept, shape, sums, counts):
    """Sum words and word n-grams; for models without character n-grams."""
    nwords, longest = shape[0], shape[2]
    starts, ends = np.empty(BATCH, np.int64), np.empty(BATCH, np.int64)
    hashes, keys = np.empty(BATCH, np.int32), np.empty(BATCH, np.uint64)
    ids, chain = np.empty(BATCH, np.int64), np.zeros(longest + 1, np.uint64)
    rows = np.empty(BATCH * longest, np.int64)
    for document in range(len(offsets) - 1):
        at, end = offsets[document], offsets[document + 1]
        order, features, ended = int64(0), int64(0), False
        while not ended:
            at, count, ended = next_words(data, at, end, starts, ends, hashes, keys)
            known = int64(0)
            for word in range(count):
                ids[word] = find_word(slots, keys[word])
                if 0 <= ids[word] < nwords:
                    rows[known] = ids[word]
                    known += 1
            add_rows(table, 0, rows, known, sums[document])
            features += known
            if longest > 1:
                known, order = word_ngram_rows(hashes, ids, count, chain, order, shape, kept, rows)
                add_rows(table, 0, rows, known, sums[document])
                features += known
        counts[document] = features


@njit(nogil=True, cache=True)
def subword_rows(text, size, ascii_only, shape, kept, rows):
    """Write the rows of the character n-grams of `text[:size]`, a word between < and >, to `rows`; return their number.

    A character starts at any byte that is not a UTF-8 continuation byte, so broken UTF-8 is safe.
    The single characters < and > do not count (fastText's Dictionary::computeSubwords).
    Indices are unsigned here: numba tests signed ones for counting from the end, which took half of the time.
    """
    nwords, buckets = shape[0], uint64(shape[1])
    shortest, longest = uint64(max(shape[3], 0)), uint64(shape[4])
    inverse = uint64(0xFFFFFFFFFFFFFFFF) // buckets + uint64(1)
    one, length, found = uint64(1), uint64(size), uint64(0)
    for first in range(length):
        start = uint64(first)
        if text[start] & uint8(0xC0) == uint8(0x80):
            continue
        fnv, at, n = uint32(FNV_START), start, uint64(0)
        while at < length and n < longest:
            fnv = fnv_step(fnv, text[at])
            at += one
            n += one
            if not ascii_only:
                while at < length and text[at] & uint8(0xC0) == uint8(0x80):
                    fnv = fnv_step(fnv, text[at])
                    at += one
            if n < shortest or (n == one and (start == 0 or at == length)):
                continue
            rows[found], is_kept = bucket_row(bucket_of(fnv, buckets, inverse), nwords, kept)
            found += uint64(is_kept)
    return int64(found)


@njit(nogil=True, cache=True)
def all_rows(data, start, end, identity, shape, kept, text, rows):
    """Write the rows of one word to `rows`: its own, and those of its character n-grams; return their number."""
    found = 0
    if identity >= 0:
        rows[0] = identity
        found = 1
    if start < 0:  # </s> has no characters
        return found
    size = end - start
    text[0] = 60
    every = uint8(0)
    for at in range(size):
        byte = data[start + at]
        text[at + 1] = byte
        every |= byte
    text[size + 1] = 62
    return found + subword_rows(text, size + 2, every < uint8(128), shape, kept, rows[found:])


@njit(nogil=True, cache=True)
def cache_slot(heads, newest, key):
    """Return (slot, whether it holds `key`): one of two neighbours, and on a miss the one not used last."""
    pair = (key >> uint64(1)) & uint64(len(newest) - 1)
    slot = pair << uint64(1)
    if heads[slot, 0] == key:
        newest[pair] = uint8(0)
        return slot, True
    if heads[slot | uint64(1), 0] == key:
        newest[pair] = uint8(1)
        return slot | uint64(1), True
    newest[pair] ^= uint8(1)
    return slot | uint64(newest[pair]), False


@njit(nogil=True, cache=True)
def sum_subwords(data, offsets, table, slots, kept, shape, cache, heads, newest, sums, counts):
    """Sum words, their character n-grams and word n-grams, keeping each word's sum in a cache.

    One thread owns the cache: `cache` float32 (slots, HEADER + width) holds a word's sum after its header; `heads`
    is the same memory as uint64: the word's key, then its number of features, -1 for a label. Key and sum side by side
    are one trip to memory. `newest` uint8 (slots / 2, a power of two).
    """
    nwords, longest = shape[0], shape[2]
    starts, ends = np.empty(BATCH, np.int64), np.empty(BATCH, np.int64)
    hashes, keys = np.empty(BATCH, np.int32), np.empty(BATCH, np.uint64)
    ids, chain = np.zeros(BATCH, np.int64), np.zeros(longest + 1, np.uint64)
    text = np.empty(256, np.uint8)
    rows = np.empty(max(BATCH * longest, 256 * shape[4] + 1), np.int64)
    hits = np.empty(BATCH, np.int64)
    for document in range(len(offsets) - 1):
        at, end = offsets[document], offsets[document + 1]
        total = sums[document]
        order, features, ended = int64(0), int64(0), False
        while not ended:
            at, count, ended = next_words(data, at, end, starts, ends, hashes, keys)
            nhits = int64(0)
            for word in range(count):
                ids[word] = 0
                size = ends[word] - starts[word]
                if size <= CACHED_BYTES:
                    slot, hit = cache_slot(heads, newest, keys[word])
                    if hit:
                        found = int64(heads[slot, 1])
                        if found < 0:
                            ids[word] = nwords
                            continue
                        hits[nhits] = int64(slot)
                        nhits += 1
                        features += found
                        continue
                # A miss may overwrite a slot that waits in `hits`.
                add_rows(cache, HEADER, hits, nhits, total)
                nhits = int64(0)
                if size + 2 > len(text):
                    text = np.empty(2 * (size + 2), np.uint8)
                    rows = np.empty(max(BATCH * longest, len(text) * shape[4] + 1), np.int64)
                identity = find_word(slots, keys[word])
                found = int64(-1)
                if identity < nwords:
                    found = all_rows(data, starts[word], ends[word], identity, shape, kept, text, rows)
                else:
                    ids[word] = nwords
                if size > CACHED_BYTES:
                    add_rows(table, 0, rows, found, total)
                    features += max(found, 0)
                    continue
                cache[slot, :] = 0.0
                heads[slot, 0] = keys[word]
                heads[slot, 1] = uint64(found)
                if found >= 0:
                    # Not HEADER: alone: a cache entry of odd width is padded, and a row of the table is not.
                    add_rows(table, 0, rows, found, cache[slot, HEADER : HEADER + len(total)])
                    hits[nhits] = int64(slot)
                    nhits += 1
                    features += found
            add_rows(cache, HEADER, hits, nhits, total)
            if longest > 1:
                found, order = word_ngram_rows(hashes, ids, count, chain, order, shape, kept, rows)
                add_rows(table, 0, rows, found, total)
                features += found
        counts[document] = features
