"""Checks what a plugin returns against the contract's shapes, and makes the values that the component returns: a mistake becomes an error with its place, not a crash."""

from __future__ import annotations

from .contract import ENUMS, RECORDS, VARIANTS, Case
from .errors import Failed

try:
    from wit_world.imports import types as wit
except ImportError:  # Outside of a component, in unit tests: nothing is returned to a gateway.
    wit = None


def give(notation: str, value, path: str):
    """The value as the contract has it. `path` names it in errors."""
    if notation.endswith("?"):
        return None if value is None else give(notation[:-1], value, path)
    if notation.endswith("[]"):
        if not isinstance(value, (list, tuple)):
            raise _mistake(path, f"expected a list, found {_found(value)}")
        return [give(notation[:-2], one, f"{path}/{place}") for place, one in enumerate(value)]
    if notation == "str":
        return _text(value, path)
    if notation == "bool":
        if isinstance(value, bool):
            return value
        raise _mistake(path, f"expected True or False, found {_found(value)}")
    if notation == "int":
        if isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31:
            return value
        raise _mistake(path, f"expected a small whole number, found {_found(value)}")
    if notation in RECORDS:
        return _record(notation, value, path)
    if notation in VARIANTS:
        return _variant(notation, value, path)
    return _word(notation, value, path)


def _text(value, path: str) -> str:
    if not isinstance(value, str):
        raise _mistake(path, f"expected a text, found {_found(value)}")
    # Half of a character pair can't leave a component.
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _record(name: str, value, path: str):
    fields = RECORDS[name]
    if any(not hasattr(value, field) for field in fields):
        raise _mistake(path, f"expected {name}, found {_found(value)}")
    return getattr(wit, name)(*[give(of, getattr(value, field), f"{path}/{field}") for field, of in fields.items()])


def _variant(name: str, value, path: str):
    cases = VARIANTS[name]
    if not isinstance(value, Case):
        kind = type(value).__name__
        value = next((Case(case, value) for case, of in cases.items() if of == kind and kind in RECORDS), value)
    if not isinstance(value, Case) or value.name not in cases:
        wanted = ", ".join(of if of in RECORDS else f'Case("{case}", …)' for case, of in cases.items())
        raise _mistake(path, f"expected one of {wanted}, found {_found(value)}")
    words = value.name.split("-")
    case = getattr(wit, f"{name}_{''.join(word.capitalize() for word in words)}")
    return case(give(cases[value.name], value.value, f"{path}/{value.name}"))


def _word(name: str, value, path: str):
    if value not in ENUMS[name]:
        raise _mistake(path, f"expected one of {', '.join(ENUMS[name])}, found {_found(value)}")
    return getattr(wit, name)[value.upper().replace("-", "_")]


def _mistake(path: str, reason: str) -> Failed:
    return Failed(f"the plugin's answer is wrong: {reason}", field=path)


def _found(value) -> str:
    """What was found, without its words: they may be personal."""
    if value is None:
        return "None"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"the number {value} (write str(…))"
    return {"str": "a text", "dict": "a dict", "list": "a list"}.get(type(value).__name__, f"a {type(value).__name__}")
