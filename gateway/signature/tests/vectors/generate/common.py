"""Reads the cases and writes a file of vectors; shared by the Python generators."""

import json
import pathlib
import sys

CASES = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))


def body_text(body):
    if "text" in body:
        return body["text"]
    times = -(-body["length"] // len(body["pattern"]))
    return (body["pattern"] * times)[: body["length"]]


def pairs(secrets):
    """Every body with the first secret, and every other secret with the second body."""
    yield from ((body, secrets[0]) for body in CASES["bodies"])
    yield from ((CASES["bodies"][1], secret) for secret in secrets[1:])


def write(file, vectors):
    text = json.dumps(vectors, indent=2, ensure_ascii=False) + "\n"
    (pathlib.Path(sys.argv[1]) / file).write_text(text, encoding="utf-8")
