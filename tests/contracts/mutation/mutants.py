"""Makes mutants: copies of a contract with one small mistake in each.

A mutant that no test notices shows a rule that nobody tests. The places come from the compiler's
own syntax tree, so that each change is exact; nothing here runs anything. Events, errors and types
are left alone, since they do nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

BINARY = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "&&": ("||",),
    "||": ("&&",),
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "%": ("/",),
    "<<": (">>",),
    ">>": ("<<",),
    "&": ("|",),
    "|": ("&",),
}
ASSIGNMENTS = {"+=": ("-=", "="), "-=": ("+=", "="), "|=": ("=",)}
UNARY = {"!": "", "~": "", "-": "", "++": "--", "--": "++"}
DELETED = "0"  # a statement that does nothing


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: bytes `start` to `end` of the source at `path` become `replacement`."""

    path: str
    operator: str
    start: int
    end: int
    was: str
    replacement: str
    line: int
    source_line: str

    @property
    def change(self) -> str:
        """The change in one line, as a reader of the report finds it again."""
        was = " ".join(self.was.split())
        return f"{was} -> {self.replacement or 'nothing'}"

    def apply(self, source: bytes) -> bytes:
        """The mutated source."""
        return source[: self.start] + self.replacement.encode() + source[self.end :]


def mutants_of(path: str, source: bytes, tree: Mapping[str, Any]) -> list[Mutant]:
    """All mutants of one source file, in the order of their places."""
    found = []
    for operator, start, end, replacement in sorted(_changes(source, tree)):
        line = source.count(b"\n", 0, start) + 1
        found.append(
            Mutant(
                path=path,
                operator=operator,
                start=start,
                end=end,
                was=source[start:end].decode(),
                replacement=replacement,
                line=line,
                source_line=source.splitlines()[line - 1].decode().strip(),
            )
        )
    return found


_Change: TypeAlias = tuple[str, int, int, str]


def _changes(source: bytes, node: Any) -> Iterator[_Change]:
    """The changes at a node of the syntax tree and at all below it."""
    if isinstance(node, list):
        for item in node:
            yield from _changes(source, item)
        return
    if not isinstance(node, dict):
        return
    kind = node.get("nodeType")
    if kind in {"EventDefinition", "ErrorDefinition", "StructuredDocumentation", "ArrayTypeName"}:
        return
    if kind in _MAKERS:
        yield from _MAKERS[kind](source, node)
    for name, below in node.items():
        # A loop that never ends says nothing about the tests.
        if name not in {"typeDescriptions", "externalReferences", "loopExpression"}:
            yield from _changes(source, below)


def _binary(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    operator = node["operator"]
    start, end = _between(source, node["leftExpression"], node["rightExpression"], operator)
    for other in BINARY.get(operator, ()):
        yield "operator", start, end, other


def _assignment(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    operator = node["operator"]
    if operator in ASSIGNMENTS:
        start, end = _between(source, node["leftHandSide"], node["rightHandSide"], operator)
        for other in ASSIGNMENTS[operator]:
            yield "assignment", start, end, other


def _unary(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    operator = node["operator"]
    start, end = _place(node)
    if operator in UNARY and node["prefix"]:
        yield "operator", start, start + len(operator), UNARY[operator]
    elif operator in UNARY:
        yield "operator", end - len(operator), end, UNARY[operator]


def _conditional(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    start, end = _place(node["condition"])
    yield "condition", start, end, "true"
    yield "condition", start, end, "false"


def _loop(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    if node.get("condition"):
        start, end = _place(node["condition"])
        yield "condition", start, end, "false"


def _statement(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    start, end = _place(node)
    yield "statement", start, end, DELETED


def _revert(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    start, end = _place(node)
    yield "revert", start, end, DELETED


def _literal(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    start, end = _place(node)
    if node["kind"] == "bool":
        yield "constant", start, end, "false" if node["value"] == "true" else "true"
    elif node["kind"] == "number" and not node.get("subdenomination"):
        number = int(node["value"].replace("_", ""), 0)
        yield "constant", start, end, str(number + 1)
        if number > 1:
            yield "constant", start, end, str(number - 1)


def _assembly_literal(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    start, end = _place(node)
    if node["kind"] == "number":
        yield "constant", start, end, str(int(node["value"], 0) + 1)


def _assembly_statement(source: bytes, node: Mapping[str, Any]) -> Iterator[_Change]:
    start, end = _place(node)
    yield "statement", start, end, "pop(0)"


_MAKERS = {
    "BinaryOperation": _binary,
    "Assignment": _assignment,
    "UnaryOperation": _unary,
    "IfStatement": _conditional,
    "Conditional": _conditional,
    "WhileStatement": _loop,
    "ForStatement": _loop,
    "ExpressionStatement": _statement,
    "EmitStatement": _statement,
    "RevertStatement": _revert,
    "Literal": _literal,
    "YulLiteral": _assembly_literal,
    "YulExpressionStatement": _assembly_statement,
}


def _place(node: Mapping[str, Any]) -> tuple[int, int]:
    start, length, _ = (int(part) for part in node["src"].split(":"))
    return start, start + length


def _between(
    source: bytes, left: Mapping[str, Any], right: Mapping[str, Any], operator: str
) -> tuple[int, int]:
    """Where the operator stands between its two sides."""
    start, end = _place(left)[1], _place(right)[0]
    found = re.search(re.escape(operator.encode()), source[start:end])
    if found is None:
        raise ValueError(f"no {operator} between {start} and {end}")
    return start + found.start(), start + found.end()
