"""What makes two URLs the same address, against a plain-Python twin over `urllib.parse`."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curate.dedup.urls import _HOST, canonical, url_hashes
from curate.kernels.urls import TRACKING

SAME = [
    ("http://Example.COM", "https://www.example.com:443/"),
    ("https://example.com/a/", "http://example.com:80/a"),
    ("https://example.com/a#part", "//example.com/a"),
    ("https://example.com/a?utm_source=x&b=2&a=1", "example.com/a?a=1&b=2&gclid=7&fbclid=Z&UTM_Medium="),
    ("https://example.com/a?", "https://example.com/a?&&utm_id=1"),
    ("https://example.com./%7euser/%e4", "https://example.com/~user/%E4"),
    (" https://example.com/a\n", "https://example.com/a"),
    ("FTP://example.com/a", "ftp://example.com/a"),
]
OTHER = [
    ("https://example.com/a", "https://example.com/A"),
    ("https://example.com/a?id=1", "https://example.com/a?id=2"),
    ("https://example.com/a?b=1", "https://example.com/a"),
    ("https://example.com:8080/a", "https://example.com/a"),
    ("https://en.example.com/a", "https://example.com/a"),
    ("https://example.com/#!/a", "https://example.com/#!/b"),
    ("ftp://example.com/a", "https://example.com/a"),
    ("https://example.com/a%2Fb", "https://example.com/a/b"),
    ("https://www.com/", "https://com/"),
]


@pytest.mark.parametrize(("one", "two"), SAME)
def test_spellings_of_one_address_are_the_same(one: str, two: str) -> None:
    first, second = canonical([one, two]).to_pylist()
    assert first == second


@pytest.mark.parametrize(("one", "two"), OTHER)
def test_different_addresses_stay_different(one: str, two: str) -> None:
    first, second = canonical([one, two]).to_pylist()
    assert first != second


def test_a_document_without_a_url_has_none() -> None:
    nothing = ["", "  ", "https://", "http://?utm_source=x", None]
    assert canonical(nothing).to_pylist() == [None] * 5
    assert url_hashes("url", pa.array(nothing)).null_count == 5
    assert url_hashes("url", pa.nulls(2)).null_count == 2
    assert len(url_hashes("url", pa.array([], pa.string()))) == 0


UNRESERVED = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
CONTROLS = "".join(map(chr, range(0x21)))


def lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def percent(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        char = unquote(found[0], "latin-1")
        return char if char in UNRESERVED else found[0].upper()

    return re.sub("%[0-9A-Fa-f]{2}", one, text)


def naive(url: str) -> str:
    url = url.strip(CONTROLS)
    scheme, web = "", True
    found = re.match(r"([^:]+)://", url)
    if found:
        web = lower(found[1]) in ("http", "https")
        scheme = "" if web else lower(found[0])
        url = url[found.end() :]
    url = url.removeprefix("//") if not found else url
    url, hash_, fragment = url.partition("#")
    url, _, query = url.partition("?")
    host, slash, path = url.partition("/")
    host = lower(re.sub(r":(80|443)?$" if web else r":$", "", host)).removesuffix(".")
    if web and host.startswith("www.") and "." in host[4:]:
        host = host[4:]
    kept = [
        percent(item)
        for item in query.split("&")
        if item
        and not lower(item).partition("=")[0].startswith("utm_")
        and lower(item).partition("=")[0] not in TRACKING
    ]
    kept.sort(key=lambda item: item.encode())
    bang = percent(hash_ + fragment) if fragment.startswith("!") else ""
    return scheme + host + percent((slash + path).rstrip("/")) + ("?" if kept else "") + "&".join(kept) + bang


SHORT = st.sampled_from("/.:?&=#!aB%é中 \n\x1f")
LONGER = st.sampled_from(["http", "https", "ftp", "://", "//", "www.", "Example.", "com", ":80", ":443", ":8080"])
PARAMETERS = st.sampled_from(["utm_x", "gclid", "GCLID=", "c=1", "%7e", "%2f", "%E4", "%4"])


def names_host(canonical_url: str) -> bool:
    """Whether the rule for a host, as Python's own engine reads it, fits."""
    return re.search(_HOST.replace("$", r"\Z"), canonical_url, re.ASCII) is not None


PARTS = SHORT | LONGER | PARAMETERS


@example(["0.\x0b0"])
@given(st.lists(st.lists(PARTS, max_size=14).map("".join) | st.text(max_size=20), max_size=6))
def test_the_canonical_form_equals_that_of_plain_python(urls: list[str]) -> None:
    assert canonical(urls).to_pylist() == [made if names_host(made) else None for made in map(naive, urls)]


def test_the_order_of_many_parameters_does_not_matter() -> None:
    names = [f"p{i * 7919 % 1000}=x" for i in range(1000)]
    one, two = canonical(["a.org/?" + "&".join(names), "a.org/?" + "&".join(names[::-1])]).to_pylist()
    assert one == two == "a.org?" + "&".join(sorted(names))
