"""Makes requests from the OpenAPI document: good ones, and every way of being wrong that we know.

Its own generator and no package's: it knows what is worth trying here (numbers at every bound,
text that no database keeps, cursors and ids of elsewhere), and the same seed gives the same
requests again. schemathesis installs, but brings a plug-in into every run of pytest and thirteen
packages.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

WRONG_TEXTS = (
    "",
    " ",
    "\x00",
    "\x7f",
    "a\x00b",
    "'",
    '"; DROP TABLE entries; --',
    "../../etc/passwd",
    "%00",
    "%",
    "银河航天",
    "\u202e",
    "\ufeff",
    "💥" * 20,
    "a" * 300,
    "a" * 5000,
    "null",
    "true",
    "NaN",
    "Infinity",
    "1e999",
    "0x",
    "0x" + "00" * 32,
    "0x" + "ff" * 32,
    "0x" + "ff" * 20,
    "-0",
    "１２",
    "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "0001-01-01T00:00:00+23:59",
    "=cmd|' /C calc'!A0",
)
WRONG_NUMBERS = (
    0,
    -1,
    1,
    2**16,
    2**31,
    2**32 - 1,
    2**32,
    2**53 - 1,
    2**53,
    2**63 - 1,
    2**63,
    -(2**63),
    10**30,
    10**400,
)
WRONG_VALUES: tuple[Any, ...] = (None, True, 1.5, [], {}, [[]], {"a": 1}, "1", -0.0)


@dataclass(frozen=True, slots=True)
class Made:
    """A request; `content` is the body's bytes."""

    operation_id: str
    method: str
    path: str
    headers: dict[str, str]
    content: bytes | None


class Fuzzer:
    """Makes requests of a document's routes. `known` gives values that the ledger has, by name."""

    def __init__(self, document: Any, known: dict[str, list[Any]], seed: int) -> None:
        self._document = document
        self._known = known
        self._random = random.Random(seed)

    def requests(self, count: int) -> Iterator[Made]:
        """So many requests, each route as often as the others."""
        routes = [
            (path, method, operation)
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
            if path != "/v1/stream" and operation["operationId"] != "deleteSession"
        ]
        for number in range(count):
            path, method, operation = routes[number % len(routes)]
            yield self._make(path, method, operation)

    def _make(self, path: str, method: str, operation: Any) -> Made:
        query: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        for parameter in operation.get("parameters", ()):
            place, name = parameter["in"], parameter["name"]
            if place == "path":
                value = self._text(parameter["schema"], name) or "x"
                path = path.replace("{" + name + "}", quote(value, safe=""))
            elif place == "query" and (parameter["required"] or self._chance(0.5)):
                query.append((name, self._text(parameter["schema"], name)))
            elif place == "header" and (parameter["required"] or self._chance(0.3)):
                headers[name] = self._header(parameter["schema"], name)
        if self._chance(0.03):
            query.append((self._random.choice(WRONG_TEXTS), "1"))
        if self._chance(0.03) and query:
            query.append(query[0])
        if query:
            path += "?" + "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in query)
        content = None
        if "requestBody" in operation:
            taken = operation["requestBody"]["content"]
            headers["Content-Type"] = kind = self._random.choice(sorted(taken))
            schema = taken[kind].get("schema", {})
            content = self._file() if schema.get("format") == "binary" else self._body(schema)
        return Made(operation["operationId"], method.upper(), path, headers, content)

    def _file(self) -> bytes:
        start = self._random.choice((b"", b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"{"))
        return start + self._random.randbytes(self._random.choice((0, 1, 20, 5000)))

    def _body(self, schema: Any) -> bytes:
        kind = self._random.random()
        if kind < 0.05:
            junk = (b"", b"{", b"\xff\xfe", b"[" * 5000, b"1e999", b'"\\ud800"', b"NaN")
            return self._random.choice(junk)
        value = self._value(schema, "", wrong=0.0 if kind < 0.35 else 0.12)
        return json.dumps(value, ensure_ascii=self._chance(0.5)).encode("utf-8", "surrogatepass")

    def _value(self, schema: Any, name: str, *, wrong: float) -> Any:
        if self._chance(wrong):
            return self._wrong()
        if "$ref" in schema:
            part = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            return self._value(part, name, wrong=wrong)
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return self._value(self._random.choice(schema[several]), name, wrong=wrong)
        if name in self._known and self._chance(0.6):
            return self._random.choice(self._known[name])
        if schema.get("type") == "object" or "properties" in schema:
            return self._object(schema, wrong)
        if schema.get("type") == "array":
            count = self._random.choice((0, 1, 1, 1, 2, 3, 600)) if wrong else 1
            return [self._value(schema["items"], name, wrong=wrong) for _ in range(count)]
        return self._plain(schema)

    def _object(self, schema: Any, wrong: float) -> dict[str, Any]:
        needed = set(schema.get("required", ()))
        made = {
            name: self._value(part, name, wrong=wrong)
            for name, part in schema.get("properties", {}).items()
            if (name in needed and not self._chance(wrong / 3)) or self._chance(0.5)
        }
        if self._chance(wrong / 2):
            made[self._random.choice(WRONG_TEXTS)] = 1
        return made

    def _plain(self, schema: Any) -> Any:
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        kind = schema.get("type")
        if kind == "null":
            return None
        if kind == "boolean":
            return self._chance(0.5)
        if kind == "integer":
            # FastAPI writes large bounds as floats.
            low, high = int(schema.get("minimum", 0)), int(schema.get("maximum", 2**31))
            return self._random.choice((low, high, self._random.randint(low, min(high, low + 50))))
        examples = schema.get("examples")
        if examples and self._chance(0.7):
            return examples[0]
        return "".join(self._random.choices(string.ascii_lowercase, k=self._random.randint(1, 12)))

    def _text(self, schema: Any, name: str) -> str:
        """A value of a path or a query."""
        if self._chance(0.35):
            return str(self._random.choice((*WRONG_TEXTS, *WRONG_NUMBERS)))
        value = self._value(schema, name, wrong=0.0)
        return "" if value is None else str(value)

    def _header(self, schema: Any, name: str) -> str:
        text = self._text(schema, name)
        if name == "Idempotency-Key" and self._chance(0.8):
            return "".join(self._random.choices(string.ascii_letters, k=20))
        # What no client can send is not tried: signs below a space, and letters beyond Latin-1.
        return "".join(each for each in text if " " < each < "\x7f")[:1000]

    def _wrong(self) -> Any:
        return self._random.choice(
            (
                self._random.choice(WRONG_TEXTS),
                self._random.choice(WRONG_NUMBERS),
                self._random.choice(WRONG_VALUES),
            )
        )

    def _chance(self, share: float) -> bool:
        return self._random.random() < share
