"""What stands between `interpret` and the gateway's contract: answers from the provider, the state, and errors as outcomes."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from . import contract
from .contract import Case, ContactInfo, Entity, Header, Phone, Request
from .errors import Failed, Skip
from .give import give, wit
from .read import Reader, parse_json

try:
    from wit_world.imports import host
except ImportError:  # Outside of a component, in unit tests.
    host = None


class Need(BaseException):
    """Raised by `fetch` while there is no answer. No `except Exception` catches it; and what was asked for wins, whatever the plugin makes of it."""


@dataclass
class Custom:
    """Details of an event of the plugin's own kind: any dict."""

    value: dict


@dataclass(kw_only=True)
class Event:
    """What happened. `event_key` tells it from the other events of the same item."""

    kind: str
    event_key: str
    occurred_at: str
    contact: ContactInfo | None = None
    entity: Entity | None = None
    payload: contract.Payload | Custom = field(default_factory=lambda: Custom({}))
    extra: dict = field(default_factory=dict)


@dataclass(kw_only=True)
class Trigger:
    """A signal for flows, about the event with this key."""

    name: str
    event_key: str
    variables: dict = field(default_factory=dict)


@dataclass(kw_only=True)
class Interpretation:
    """Events, and triggers beside them."""

    events: list[Event] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)


class Item:
    """The unit of interpretation: one part of a delivery, often all of it."""

    def __init__(self, topic: str, body: str, *, id: str = "item", headers=(), envelope: str | None = None, received_at: str = ""):
        self.id = id
        self.topic = topic
        self.body = body
        self.headers = headers
        self.received_at = received_at
        self.envelope = None if envelope is None else parse_json(envelope, "the envelope")

    def header(self, name: str) -> str | None:
        """A header's value; the name in any case."""
        return _header(self.headers, name)

    def json(self):
        """The body as a value; numbers with a point are `Decimal`."""
        return parse_json(self.body)

    def read(self) -> Reader:
        """The body, to read with errors that name the field."""
        return Reader(self.json())


class Response:
    """An HTTP answer; any status."""

    def __init__(self, response):
        self.status: int = response.status
        self.headers = response.headers
        self.body: str = response.body
        self.ok = 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        return _header(self.headers, name)

    def json(self):
        return parse_json(self.body, "the provider's answer")

    def read(self) -> Reader:
        return Reader(self.json(), "", "the provider's answer")


class Context:
    """What a plugin may use while it interprets one item."""

    def __init__(self, connection=None, state: str | None = None, answers=()):
        self.connection = connection
        self.needed: list[Request] = []
        self.new_state: str | None = None
        self._state = state
        self._answers = iter(answers)

    @property
    def settings(self) -> dict:
        """The plugin's settings for this connection."""
        return parse_json(self.connection.settings, "the settings of the connection")

    @property
    def state(self):
        """What was last kept under the item's state key; None the first time."""
        return None if self._state is None else parse_json(self._state, "the stored state")

    def set_state(self, state) -> None:
        """Keeps a new state, in the commit that stores the events."""
        self.new_state = _json(state)

    def fetch(self, url: str, *, method: str | None = None, headers: dict[str, str] | None = None, json=None, body: str | None = None) -> Response:
        """Reads from the provider; any status is an answer.

        The gateway makes the request (only to granted hosts, with the connection's credentials) and calls `interpret` again with the answer: what comes before must
        depend on nothing but the item. It is a GET unless there is something to send.
        """
        return self.fetch_all([request(url, method=method, headers=headers, json=json, body=body)])[0]

    def fetch_all(self, requests: Iterable[Request]) -> list[Response]:
        """Several at once, which do not depend on each other: `ctx.fetch_all([request(url), …])`."""
        return [_answered(answer) for answer in self._take(list(requests))]

    def try_fetch(self, request: Request) -> Response | None:
        """Like `fetch`, but None when there will be no answer."""
        [answer] = self._take([request])
        return Response(answer.value) if isinstance(answer, wit.Answer_Response) else None

    def log(self, level: str, message: str) -> None:
        """Writes a line to the gateway's log: `debug`, `info`, `warn` or `error`. Never log personal data."""
        _log(level, message)

    def _take(self, requests: list[Request]) -> list:
        answers = [next(self._answers, None) for _ in requests]
        missing = [request for request, answer in zip(requests, answers) if answer is None]
        if missing:
            self.needed.extend(missing)
            raise Need
        return answers


def request(url: str, *, method: str | None = None, headers: dict[str, str] | None = None, json=None, body: str | None = None) -> Request:
    """A request of an absolute `https` URL; `json` is sent as JSON."""
    sent = body if json is None else _json(json)
    typed = {} if json is None else {"content-type": "application/json"}
    named = [Header(name=name, value=value) for name, value in {**typed, **(headers or {})}.items()]
    return Request(method=method or ("GET" if sent is None else "POST"), url=url, headers=named, body=sent)


Interpret = Callable[[Item, Context], "Event | list[Event] | Interpretation"]


def plugin(interpret: Interpret) -> type:
    """What the file calls `Normalizer`. Whatever `interpret` raises parks the item with its message."""

    class Normalizer:
        def interpret(self, connection, items):
            return [_outcome(interpret, connection, item) for item in items]

    return Normalizer


def _outcome(interpret: Interpret, connection, item):
    ctx = Context(connection, item.state, item.answers)
    try:
        outcome = wit.Outcome_Done(_done(interpret(_item(item), ctx), ctx.new_state))
    except BaseException as error:  # Also Need, and what an author's library raises to end the program.
        outcome = None if ctx.needed else _refusal(error)
    return _need(ctx.needed) if ctx.needed else outcome


def _item(item) -> Item:
    return Item(item.topic, item.body, id=item.id, headers=item.headers, envelope=item.envelope, received_at=item.received_at)


def _need(requests: list[Request]):
    try:
        return wit.Outcome_Need(give("Request[]", requests, "need"))
    except Failed as error:
        return _refusal(error)


def _refusal(error: BaseException):
    if isinstance(error, Skip):
        return wit.Outcome_Skip(give("str", str(error), "skip"))
    if isinstance(error, Failed):
        return wit.Outcome_Failed(wit.Failure(error.field, give("str", str(error.reason), "reason"), error.retry))
    # Cut, so that a call full of mistakes keeps within what it may log.
    _log("debug", "".join(traceback.format_exception(error))[-1000:])
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/tidegate/" not in frame.filename]
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    reason = f"{type(error).__name__}: {error}{place}"
    return wit.Outcome_Failed(wit.Failure(None, give("str", reason, "reason"), False))


def _done(result, state: str | None):
    """An event, a list of them, or an interpretation, as the contract has it."""
    if isinstance(result, Interpretation):
        events, triggers = result.events, result.triggers
    elif isinstance(result, (list, tuple)):
        events, triggers = result, []
    elif isinstance(result, Event):
        events, triggers = [result], []
    else:
        raise Failed("the plugin returned no interpretation: return an Event, a list of them or an Interpretation, or raise a Skip")
    done = contract.Done(
        events=[_event(event) for event in events],
        triggers=[contract.Trigger(name=one.name, event_key=one.event_key, variables=_json(one.variables)) for one in triggers],
        state=state,
    )
    return give("Done", done, "done")


def _event(event: Event) -> contract.Event:
    payload = Case("custom", _json(event.payload.value)) if isinstance(event.payload, Custom) else event.payload
    return contract.Event(
        event_key=event.event_key,
        kind=event.kind,
        occurred_at=event.occurred_at,
        contact=event.contact,
        entity=event.entity,
        payload=payload,
        extra=_json(event.extra),
    )


def _json(value) -> str:
    """JSON text; a `Decimal` is written as a text, with its digits."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))


def _answered(answer) -> Response:
    if isinstance(answer, wit.Answer_Failed):
        raise Failed(f"the provider gave no answer: {answer.value}")
    return Response(answer.value)


def _header(headers, name: str) -> str | None:
    wanted = name.lower()
    return next((one.value for one in headers if one.name.lower() == wanted), None)


def _log(level: str, message: str) -> None:
    if host is not None:
        host.log(host.Level[level.upper()], give("str", str(message), "message"))


def contact(
    *,
    phone: str | None = None,
    region: str | None = None,
    whatsapp_id: str | None = None,
    whatsapp_user_id: str | None = None,
    email: str | None = None,
    external_id: str | None = None,
    fields: dict[str, str | None] | None = None,
    **more,
) -> ContactInfo | None:
    """What one webhook tells about a person: `region` is the country of a phone without a code, `more` are fields of `ContactInfo`. None when it does not say who it is."""
    given = [
        (phone, lambda number: Case("phone", Phone(number=number, region=region))),
        (whatsapp_id, lambda value: Case("whatsapp-id", value)),
        (whatsapp_user_id, lambda value: Case("whatsapp-user-id", value)),
        (email, lambda value: Case("email", value)),
        (external_id, lambda value: Case("external-id", value)),
    ]
    keys = [key(value.strip()) for value, key in given if value is not None and value.strip()]
    named = [contract.Field(name=name, value=value) for name, value in (fields or {}).items()]
    return ContactInfo(keys=keys, fields=named, **more) if keys else None
