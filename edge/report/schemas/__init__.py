"""The published JSON Schemas of all that is sent, and of the commands."""

import json
from importlib.resources import files
from typing import Any

import msgspec

from edge.report.requests import KINDS

SENT = ("state", "events", "counts", "health", "reply")


def schema_of(name: str) -> dict[str, Any]:
    """The schema of a topic's payload, or of "command-NAME"."""
    text = (files(__name__) / "v1" / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def command_schema(name: str) -> dict[str, Any]:
    """The schema of a command as its parser has it: what is published must say the same."""
    (schema,), parts = msgspec.json.schema_components([KINDS[name]])
    described = parts[KINDS[name].__name__]
    assert schema["$ref"].endswith(KINDS[name].__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:redroad:v1:command-{name}",
        **described,
        "title": name,
    }
