"""Numbers as people read them: thousands separators, human units, percentages that do not round to a lie.

Only words for numbers; what is counted is not known here. Whatever is not a finite number reads as a dash.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

NOTHING = "–"
_COUNTS = ((1e15, "Q"), (1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_BYTES = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def is_number(value: Any) -> bool:
    """Tell a finite number from None, NaN, infinities, flags and text."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def count(value: Any) -> str:
    """Write a whole number in full.

    >>> count(20444)
    '20,444'
    """
    return f"{round(value):,}" if is_number(value) else NOTHING


def short(value: Any) -> str:
    """Write a count in three digits and a unit.

    >>> short(17_131_930), short(999), short(4_100_000_000)
    ('17.1M', '999', '4.1B')
    """
    return _scaled(value, _COUNTS, "") if is_number(value) else NOTHING


def size(value: Any) -> str:
    """Write bytes in three digits and a decimal unit.

    >>> size(67_200_074), size(0)
    ('67.2 MB', '0 bytes')
    """
    return _scaled(value, _BYTES, " ") if is_number(value) else NOTHING


def decimal(value: Any, digits: int = 1) -> str:
    """Write a number with a fixed number of decimals.

    >>> decimal(11.34), decimal(1, 2)
    ('11.3', '1.00')
    """
    return f"{value:,.{digits}f}" if is_number(value) else NOTHING


def signed(value: Any, digits: int = 1) -> str:
    """Write a number with its sign.

    >>> signed(0.25, 2), signed(-3.14159, 2), signed(0.0001)
    ('+0.25', '−3.14', '0.0')
    """
    if not is_number(value):
        return NOTHING
    written = f"{abs(value):,.{digits}f}"
    return written if not float(written.replace(",", "")) else ("−" if value < 0 else "+") + written


def plus_minus(error: Any) -> str:
    """Write the standard error of a share in percentage points; nothing is uncertain when every document was looked at.

    >>> plus_minus(0.00123), plus_minus(0.00001), plus_minus(0)
    ('± 0.12', '± 0.01', '')
    """
    return f"± {max(100 * error, 0.01):.2f}" if is_number(error) and error > 0 else ""


def percent(share: Any) -> str:
    """Write a share; only none and all read as 0% and 100%.

    >>> percent(0.382), percent(0.00001), percent(0.99999), percent(1)
    ('38.2%', '<0.1%', '>99.9%', '100%')
    """
    if not is_number(share):
        return NOTHING
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def seconds(value: Any) -> str:
    """Write a duration.

    >>> seconds(6.74), seconds(192), seconds(7500)
    ('6.7 s', '3 min 12 s', '2 h 05 min')
    """
    if not is_number(value):
        return NOTHING
    if value < 59.95:
        return f"{value:.2f} s" if 0 < value < 0.095 else f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02d} min"


def measured(value: Any) -> str:
    """Write the value of a signal: numbers to four digits, flags and labels as words.

    >>> measured(36), measured(15.730769157), measured(0.1), measured(True), measured(None)
    ('36', '15.73', '0.1', 'true', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not is_number(value):
        return str(value)
    if float(value).is_integer():
        return f"{int(value):,}" if abs(value) < 1e15 else f"{value:.3e}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def moment(timestamp: Any) -> str:
    """Write a POSIX timestamp as a date and time in UTC.

    >>> moment(0)
    '1 January 1970, 00:00 UTC'
    """
    if not is_number(timestamp):
        return NOTHING
    when = datetime.fromtimestamp(timestamp, UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _scaled(value: float, units: tuple[tuple[float, str], ...], gap: str) -> str:
    for scale, unit in units:
        scaled = value / scale
        if abs(scaled) >= 0.9995:
            digits = 0 if abs(scaled) >= 99.95 else 1
            return f"{scaled:,.{digits}f}".removesuffix(".0") + gap + unit
    return f"{value:,.0f}" + (" bytes" if gap else "")
