"""Copying text while leaving things out: invisible characters, citation marks, and lines by C4's rules.

Input must be valid UTF-8; so is the output, which is never longer. Which cleaner runs when is `curate.text`'s
business.
"""

from __future__ import annotations

from numba import njit

from curate.kernels.bytes import leading_plain
from curate.kernels.lines import ends_with_ellipsis, strip
from curate.kernels.loads import load_u64
from curate.kernels.phrases import holds_phrase
from curate.kernels.unicode import CONTROL, RECOMPOSE, SPACE, decode, place

CLEAN, STRIP, NORMALISE = 0, 1, 2  # what a document needs; bits

C4_MIN_WORDS = 5  # words a line, JMLR version of the paper and released code
C4_MAX_WORD = 1000  # characters a word
_C4_NOTES = (b"[edit]", b"[citation needed]")  # citation marks other than numbers


@njit(nogil=True, cache=True)
def scan(data, offsets, tables, needs):
    """Fill `needs` uint8 (n,): STRIP where a document holds carriage returns or control characters,
    NORMALISE where it may not be in normal form C."""
    flags, index = tables.flags, tables.index
    safe = data.shape[0] - 8  # the last place from which 8 bytes can be loaded
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        state = 0
        while i < end:
            if i <= safe:
                plain = leading_plain(load_u64(data, i))
                if plain:
                    i += plain  # perhaps beyond the end
                    continue
            c = data[i]
            if c < 0x80:
                if (c < 32 and c != 10 and c != 9) or c == 127:
                    state |= STRIP
                i += 1
                continue
            cp, i = decode(data, i, end)
            found = flags[place(index, cp)]
            state |= (STRIP if found & CONTROL else 0) | (NORMALISE if found & RECOMPOSE else 0)
        needs[d] = state


@njit(nogil=True, cache=True)
def strip_controls(data, offsets, tables, out, out_offsets):
    """Copy all documents to `out` without control characters, those that are white space as `\\n`.

    `\\r\\n` is one of them. Fills `out_offsets`; returns its last entry.
    """
    o = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        out_offsets[d] = o
        while i < end:
            cp, after = decode(data, i, end)
            flags = tables.flags[place(tables.index, cp)]
            if not flags & CONTROL:
                for k in range(i, after):
                    out[o] = data[k]
                    o += 1
            elif flags & SPACE and not (cp == 13 and after < end and data[after] == 10):
                out[o] = 10
                o += 1
            i = after
    out_offsets[offsets.shape[0] - 1] = o
    return o


@njit(nogil=True, cache=True)
def _citation(out, line, o):
    """Return where a citation mark that ends at `out[o - 1]`, a "]", begins, or `o`: [12], [], [edit] …"""
    k = o - 2
    while k >= line and 48 <= out[k] <= 57:
        k -= 1
    if k >= line and out[k] == 91:
        return k
    for note in _C4_NOTES:
        begin = o - len(note)
        if begin >= line:
            k = 0
            while k < len(note) and out[begin + k] == note[k]:
                k += 1
            if k == len(note):
                return begin
    return o


@njit(nogil=True, cache=True)
def _has_words(text, start, end, tables):
    """Tell whether there are at least 5 words, and none is longer than 1000 characters."""
    words = run = longest = 0
    i = start
    while i < end:
        cp, i = decode(text, i, end)
        if tables.flags[place(tables.index, cp)] & SPACE:
            run = 0
        else:
            words += run == 0
            run += 1
            longest = max(longest, run)
        if words == C4_MIN_WORDS and end - start <= C4_MAX_WORD:
            return True
    return words >= C4_MIN_WORDS and longest <= C4_MAX_WORD


@njit(nogil=True, cache=True)
def c4_lines(data, offsets, tables, phrases, out, out_offsets):
    """Copy the lines that C4 keeps to `out`, stripped and without citation marks; fills `out_offsets`.

    A line goes when a word in it is longer than 1000 characters, when it does not end in . ? ! or ", when it
    ends in "...", has fewer than 5 words, or holds one of `phrases`. `out` has room for all of `data` and one
    byte more a document.
    """
    o = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        out_offsets[d] = o
        begin = o
        while i < end:
            # Copy the line after what has been kept, and its newline; then take back what is not wanted.
            line = o + (o > begin)
            copied = line
            while i < end and data[i] != 10:
                out[copied] = data[i]
                copied += 1
                if data[i] == 93:
                    copied = _citation(out, line, copied)
                i += 1
            i += 1
            start, stop = strip(out, line, copied, tables)
            if stop == start or ends_with_ellipsis(out, start, stop):
                continue
            last = out[stop - 1]
            if not (last == 46 or last == 63 or last == 33 or last == 34):
                continue
            if not _has_words(out, start, stop, tables) or holds_phrase(out, start, stop, phrases):
                continue
            if o > begin:
                out[o] = 10
                o += 1
            for k in range(start, stop):  # line <= start: never overtakes itself
                out[o] = out[k]
                o += 1
    out_offsets[offsets.shape[0] - 1] = o
    return o


@njit(nogil=True, cache=True)
def citations(data, offsets, out, out_offsets):
    """Copy all documents to `out` without citation marks; fills `out_offsets`, returns its last entry."""
    o = 0
    for d in range(offsets.shape[0] - 1):
        out_offsets[d] = begin = o
        for i in range(offsets[d], offsets[d + 1]):
            out[o] = data[i]
            o += 1
            if data[i] == 93:
                o = _citation(out, begin, o)
    out_offsets[offsets.shape[0] - 1] = o
    return o


@njit(nogil=True, cache=True)
def copy_beginnings(data, offsets, count, words, out, out_offsets):
    """Copy the first `count` characters of each document to `out`, or its first `count` words; fills `out_offsets`.

    Here words are what ASCII white space divides.
    """
    o = 0
    for d in range(offsets.shape[0] - 1):
        out_offsets[d] = o
        seen = 0
        inside = False
        for i in range(offsets[d], offsets[d + 1]):
            if words:
                begins = data[i] > 32 and not inside
                inside = data[i] > 32
            else:
                begins = (data[i] & 0xC0) != 0x80
            seen += begins
            if seen > count:
                break
            out[o] = data[i]
            o += 1
    out_offsets[offsets.shape[0] - 1] = o
    return o


@njit(nogil=True, cache=True)
def cut_windows(data, offsets, characters, cuts, first):
    """Fill `cuts` with where each piece of each document begins, `first` with the first piece of each document.

    A document of n characters gets n / `characters` pieces, rounded, of about equal length, so that none is a scrap;
    a piece ends at the first ASCII white space after its length, or after a tenth more without one.
    """
    count = 0
    for d in range(offsets.shape[0] - 1):
        first[d] = count
        total = 0
        for i in range(offsets[d], offsets[d + 1]):
            total += (data[i] & 0xC0) != 0x80
        pieces = max(1, (2 * total + characters) // (2 * characters))
        length = (total + pieces - 1) // pieces
        cuts[count] = offsets[d]
        count += 1
        seen = 0
        left = total
        for i in range(offsets[d], offsets[d + 1]):
            if data[i] & 0xC0 == 0x80:
                continue
            ready = seen >= length and (data[i] <= 32 or seen >= length + length // 10)
            if ready and left > length // 2:  # what remains is a piece of its own
                cuts[count] = i
                count += 1
                seen = 0
            seen += 1
            left -= 1
    first[offsets.shape[0] - 1] = count
    return count
