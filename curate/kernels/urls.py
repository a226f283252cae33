"""URLs written one way, so that two spellings of one address are equal byte by byte.

Fetches and decodes nothing. The rules and the reasons for them are in docs/deduplication.md.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from numba import njit

from classifiers.arrow import Strings, as_strings

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

# Parameters that say where a visitor came from or who they are, never which page: of Google, Meta, Microsoft,
# Yandex, X, TikTok, Instagram, Mailchimp, HubSpot, Marketo, Oracle Eloqua, Vero and Matomo; and session numbers.
TRACKING = (
    "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "srsltid", "_ga", "_gl", "fbclid", "fb_action_ids",
    "fb_action_types", "fb_source", "fb_ref", "msclkid", "yclid", "_openstat", "twclid", "ttclid", "igshid", "igsh",
    "mc_cid", "mc_eid", "_hsenc", "_hsmi", "__hssc", "__hstc", "__hsfp", "hsctatracking", "mkt_tok", "oly_anon_id",
    "oly_enc_id", "vero_conv", "vero_id", "pk_campaign", "pk_kwd", "mtm_campaign", "mtm_keyword", "phpsessid",
    "jsessionid",
)  # fmt: skip

_SLASH, _COLON, _HASH, _QUERY, _AND, _EQUALS, _DOT, _PERCENT = (np.uint8(ord(c)) for c in "/:#?&=.%")


@functools.cache
def _tracking() -> Strings:
    return as_strings(list(TRACKING))


def canonical_urls(urls: Strings) -> Strings:
    """Return every URL in its canonical form; the empty string for one that names no host and no path."""
    out, offsets = np.empty(urls.nbytes + 8, np.uint8), np.zeros_like(urls.offsets)
    names = _tracking()
    size = _canonical_each(urls.data, urls.offsets, names.data, names.offsets, out, offsets)
    return Strings(out[:size], offsets)


@njit(nogil=True, cache=True, inline="always")
def _lower(c: np.uint8) -> np.uint8:
    return c | np.uint8(0x20) if 0x41 <= c <= 0x5A else c


@njit(nogil=True, cache=True)
def _starts_with(data: U8, i: int, end: int, text: U8) -> bool:
    """Tell whether the bytes from i on are `text` (lower case), whatever their case."""
    if end - i < text.shape[0]:
        return False
    k = 0
    while k < text.shape[0] and _lower(data[i + k]) == text[k]:
        k += 1
    return k == text.shape[0]


@njit(nogil=True, cache=True)
def _find(data: U8, i: int, end: int, byte: np.uint8) -> int:
    while i < end and data[i] != byte:
        i += 1
    return i


@njit(nogil=True, cache=True, inline="always")
def _digit(c: np.uint8) -> np.int64:
    """The value of a hexadecimal digit, or -1."""
    if 0x30 <= c <= 0x39:
        return np.int64(c) - np.int64(0x30)
    low = _lower(c)
    return np.int64(low) - np.int64(0x57) if 0x61 <= low <= 0x66 else np.int64(-1)


@njit(nogil=True, cache=True)
def _copy(data: U8, i: int, end: int, out: U8, at: int) -> int:
    """Copy with percent-encoding normalised (RFC 3986, 6.2.2): unreserved characters decoded, the rest in capitals."""
    while i < end:
        c = data[i]
        if c == _PERCENT and i + 2 < end and _digit(data[i + 1]) >= 0 and _digit(data[i + 2]) >= 0:
            value = np.uint8(_digit(data[i + 1]) * 16 + _digit(data[i + 2]))
            letter = 0x61 <= _lower(value) <= 0x7A or 0x30 <= value <= 0x39
            if letter or value == 0x2D or value == 0x2E or value == 0x5F or value == 0x7E:
                out[at] = value
                at += 1
            else:
                for k in range(3):
                    c = data[i + k]
                    out[at + k] = c & np.uint8(0xDF) if 0x61 <= c <= 0x7A else c
                at += 3
            i += 3
            continue
        out[at] = c
        at += 1
        i += 1
    return at


@njit(nogil=True, cache=True)
def _host(data: U8, i: int, end: int, web: bool, out: U8, at: int) -> int:
    """Write an authority in lower case, without a final dot; for the web without `www.` and default port too."""
    port = end
    while port > i and 0x30 <= data[port - 1] <= 0x39:
        port -= 1
    if port > i and data[port - 1] == _COLON:
        size = end - port
        default = size == 0
        if web and size == 2:
            default = data[port] == 0x38 and data[port + 1] == 0x30
        elif web and size == 3:
            default = data[port] == 0x34 and data[port + 1] == 0x34 and data[port + 2] == 0x33
        if default:
            end = port - 1
    if end > i and data[end - 1] == _DOT:
        end -= 1
    name = i + _WWW.shape[0]
    if web and _starts_with(data, i, end, _WWW) and _find(data, name, end, _DOT) < end:
        i = name
    for k in range(i, end):
        out[at] = _lower(data[k])
        at += 1
    return at


@njit(nogil=True, cache=True)
def _tracks(data: U8, i: int, end: int, names: U8, name_offsets: I64) -> bool:
    """Tell whether the parameter from i on is one that says nothing of the page."""
    stop = _find(data, i, end, _EQUALS)
    if _starts_with(data, i, stop, _UTM):
        return True
    for n in range(name_offsets.shape[0] - 1):
        first, last = name_offsets[n], name_offsets[n + 1]
        if last - first == stop - i and _starts_with(data, i, stop, names[first:last]):
            return True
    return False


@njit(nogil=True, cache=True)
def _after(text: U8, a: int, a_end: int, b: int, b_end: int) -> bool:
    """Tell whether text[a:a_end] comes after text[b:b_end] in byte order."""
    size = min(a_end - a, b_end - b)
    for k in range(size):
        if text[a + k] != text[b + k]:
            return text[a + k] > text[b + k]
    return a_end - a > b_end - b


@njit(nogil=True, cache=True)
def _query(data: U8, i: int, end: int, names: U8, name_offsets: I64, out: U8, at: int) -> int:
    """Write the parameters that matter, in byte order, after a question mark; nothing when none does."""
    count = 1
    for k in range(i, end):
        count += data[k] == _AND
    text = np.empty(end - i + 1, np.uint8)
    firsts, lasts = np.empty(count, np.int64), np.empty(count, np.int64)
    used = kept = 0
    while i <= end:
        stop = _find(data, i, end, _AND)
        if stop > i and not _tracks(data, i, stop, names, name_offsets):
            firsts[kept] = used
            used = _copy(data, i, stop, text, used)
            lasts[kept] = used
            kept += 1
        i = stop + 1
    gap = kept // 2
    while gap > 0:  # Shell's sort: parameters are few, but nobody promises that
        for k in range(gap, kept):
            first, last = firsts[k], lasts[k]
            j = k
            while j >= gap and _after(text, firsts[j - gap], lasts[j - gap], first, last):
                firsts[j], lasts[j] = firsts[j - gap], lasts[j - gap]
                j -= gap
            firsts[j], lasts[j] = first, last
        gap = gap // 2
    for k in range(kept):
        out[at] = _QUERY if k == 0 else _AND
        at += 1
        for b in range(firsts[k], lasts[k]):
            out[at] = text[b]
            at += 1
    return at


_WWW, _UTM = (np.frombuffer(text, np.uint8) for text in (b"www.", b"utm_"))
_HTTP, _HTTPS = (np.frombuffer(text, np.uint8) for text in (b"http", b"https"))


@njit(nogil=True, cache=True)
def _canonical(data: U8, i: int, end: int, names: U8, name_offsets: I64, out: U8, at: int) -> int:
    while i < end and data[i] <= 0x20:
        i += 1
    while end > i and data[end - 1] <= 0x20:
        end -= 1
    scheme = _find(data, i, end, _COLON)
    web = True
    slashes = i
    if scheme + 2 < end and scheme > i and data[scheme + 1] == _SLASH and data[scheme + 2] == _SLASH:
        size = scheme - i
        web = (size == 4 and _starts_with(data, i, scheme, _HTTP)) or (
            size == 5 and _starts_with(data, i, scheme, _HTTPS)
        )
        slashes = scheme + 1
        if not web:
            for k in range(i, scheme + 3):
                out[at] = _lower(data[k])
                at += 1
    if slashes + 1 < end and data[slashes] == _SLASH and data[slashes + 1] == _SLASH:
        slashes += 2
    i = slashes
    fragment = _find(data, i, end, _HASH)
    bang = fragment + 1 < end and data[fragment + 1] == 0x21
    query = _find(data, i, fragment, _QUERY)
    path = min(_find(data, i, query, _SLASH), query)
    at = _host(data, i, path, web, out, at)
    last = query
    while last > path and data[last - 1] == _SLASH:
        last -= 1
    at = _copy(data, path, last, out, at)
    at = _query(data, query + 1, fragment, names, name_offsets, out, at) if query < fragment else at
    if bang:
        at = _copy(data, fragment, end, out, at)
    return at


@njit(nogil=True, cache=True)
def _canonical_each(data: U8, offsets: I64, names: U8, name_offsets: I64, out: U8, out_offsets: I64) -> int:
    written = 0
    for u in range(offsets.shape[0] - 1):
        written = _canonical(data, offsets[u], offsets[u + 1], names, name_offsets, out, written)
        out_offsets[u + 1] = written
    return written
