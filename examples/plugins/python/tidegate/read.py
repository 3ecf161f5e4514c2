"""Reading JSON with errors that name the field. Numbers keep their digits: those with a point are `Decimal`."""

from __future__ import annotations

import json
import re
from calendar import monthrange
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from .errors import Failed

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|[+-]([0-9]{2}):?([0-9]{2}))"
)
_UNIX = re.compile(r"-?[0-9]{1,15}")
_MAX_DIGITS = 28
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def parse_json(text: str, what: str | None = None):
    """Reads JSON; `what` names it in the error when it is not the item's body."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except ValueError as error:
        prefix = f"{what}: " if what else ""
        raise Failed(f"{prefix}expected JSON: {error}") from None


def _no_number(word: str):
    raise ValueError(f"{word} is no number")


class Reader:
    """A place in a JSON text. What is not as asked for is raised as a `Failed` with its pointer."""

    __slots__ = ("value", "pointer", "_what")

    def __init__(self, value, pointer: str = "", what: str | None = None):
        self.value = value
        self.pointer = pointer
        self._what = what

    def at(self, key: str) -> Reader:
        """The object under a key."""
        reader = self._required(key)
        if not isinstance(reader.value, dict):
            raise reader._expected("an object")
        return reader

    def maybe_at(self, key: str) -> Reader | None:
        return None if self._absent(key) else self.at(key)

    def each(self, key: str) -> list[Reader]:
        """The elements of an array; none when it is absent."""
        if self._absent(key):
            return []
        reader = self._required(key)
        if not isinstance(reader.value, list):
            raise reader._expected("an array")
        return [Reader(value, f"{reader.pointer}/{place}", self._what) for place, value in enumerate(reader.value)]

    def text(self, key: str) -> str:
        """A string, or the digits of a number."""
        return self._required(key)._content("a string or a number")

    def maybe_text(self, key: str) -> str | None:
        """None when it is absent, null or blank."""
        return None if self._absent(key) else self.text(key).strip() or None

    def decimal(self, key: str) -> str:
        """A decimal from a string or a number, its digits as they are."""
        reader = self._required(key)
        what = "a decimal such as -10.00"
        decimal = canonical_decimal(reader._content(what))
        if decimal is None:
            raise reader._expected(what)
        return decimal

    def maybe_decimal(self, key: str) -> str | None:
        return None if self._absent(key) else self.decimal(key)

    def instant(self, key: str) -> str:
        """RFC 3339 text, from that or from unix time."""
        reader = self._required(key)
        what = "an instant such as 2026-03-30T14:30:00Z (RFC 3339 with an offset, or unix time)"
        instant = rfc3339(reader._content(what))
        if instant is None:
            raise reader._expected(what)
        return instant

    def maybe_instant(self, key: str) -> str | None:
        return None if self._absent(key) else self.instant(key)

    def flag(self, key: str) -> bool:
        reader = self._required(key)
        if not isinstance(reader.value, bool):
            raise reader._expected("true or false")
        return reader.value

    def failed(self, key: str, reason: str, *, retry: bool = False) -> Failed:
        """An error about the value under a key, to raise."""
        return self._below(key, None)._failed(reason, retry)

    def _below(self, key: str, value) -> Reader:
        token = key.replace("~", "~0").replace("/", "~1")
        return Reader(value, f"{self.pointer}/{token}", self._what)

    def _absent(self, key: str) -> bool:
        return not isinstance(self.value, dict) or self.value.get(key) is None

    def _required(self, key: str) -> Reader:
        if not isinstance(self.value, dict):
            raise self._expected("an object")
        if key not in self.value:
            raise self._failed(f"missing field `{key}`")
        return self._below(key, self.value[key])

    def _content(self, what: str) -> str:
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, (int, Decimal)) and not isinstance(self.value, bool):
            return str(self.value)
        raise self._expected(what)

    def _expected(self, what: str) -> Failed:
        return self._failed(f"expected {what}, found {_found(self.value)}")

    def _failed(self, reason: str, retry: bool = False) -> Failed:
        if self._what is not None:
            return Failed(f"{self._what}, {self.pointer or '/'}: {reason}", retry=retry)
        return Failed(reason, field=self.pointer or None, retry=retry)


def _found(value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else "a long text"


def canonical_decimal(text: str) -> str | None:
    """Digits with an optional sign and point; None when the text is no decimal, or too long to be kept exactly."""
    text = text.strip()
    if not _DECIMAL.fullmatch(text):
        return None
    sign, digits, exponent = Decimal(text).as_tuple()
    if len(digits) > _MAX_DIGITS or abs(exponent) > _MAX_DIGITS or len(digits) + exponent > _MAX_DIGITS:
        return None
    decimal = f"{Decimal((0, digits, exponent)):f}"
    return f"-{decimal}" if sign and any(digits) else decimal


def rfc3339(text: str) -> str | None:
    """RFC 3339 with its offset, from that, from an offset without a colon, or from unix time in seconds or (12 digits or more) milliseconds."""
    text = text.strip()
    if _UNIX.fullmatch(text):
        return _from_unix(int(text))
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, offset_hours, offset_minutes = (int(part or 0) for part in match.groups())
    good = year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1] and hour <= 23 and minute <= 59 and second <= 60
    if not good or offset_hours > 23 or offset_minutes > 59:
        return None
    return re.sub(r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2", text)


def _from_unix(value: int) -> str | None:
    ms = value if abs(value) >= 100_000_000_000 else value * 1000
    try:
        instant = _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return None
    digits = "milliseconds" if instant.microsecond else "seconds"
    return instant.isoformat(timespec=digits).replace("+00:00", "Z")
