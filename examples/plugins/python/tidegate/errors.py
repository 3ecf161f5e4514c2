"""What a plugin raises to say that an item has no interpretation."""

from __future__ import annotations


class Skip(Exception):
    """The item is authentic, understood, and of no interest: why."""


class Failed(Exception):
    """The item can't be read: it is parked, visible and replayable. `field` is a JSON pointer; with `retry` the gateway tries again later."""

    def __init__(self, reason: str, *, field: str | None = None, retry: bool = False):
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.retry = retry
