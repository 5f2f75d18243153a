"""The committed Python client and TypeScript's types are what the API's description makes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from api.client_code.calls import write_calls
from api.client_code.files import CALLS, MODELS, TYPESCRIPT, api_document, generated_files
from api.client_code.types import UnknownSchema, type_of
from ledger.chain.toolchain import find_node, find_node_package

ROOT = Path(__file__).parents[2]

_PORTAL = """\
import type { Entry, paths } from "./openapi";

type Page = paths["/v1/entries"]["get"]["responses"][200]["content"]["application/json"];

export function total(page: Page): number {
  return page.items.reduce((sum: number, entry: Entry) => sum + entry.amount, 0);
}

// @ts-expect-error an amount is a number
export const amount: Entry["amount"] = "120";
"""


@pytest.fixture(scope="module")
def made() -> Mapping[str, str]:
    """The files as they would be made now."""
    return generated_files(ROOT)


@pytest.mark.parametrize("name", [MODELS, CALLS, TYPESCRIPT])
def test_file__is_what_would_be_made_now(made: Mapping[str, str], name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == made[name], "run `python -m api.client_code`"


def test_types__of_a_portal_that_uses_them__are_checked(tmp_path: Path) -> None:
    (tmp_path / "openapi.d.ts").write_bytes((ROOT / TYPESCRIPT).read_bytes())
    (tmp_path / "portal.ts").write_text(_PORTAL)
    compiler = find_node_package("typescript") / "lib" / "tsc.js"
    done = subprocess.run(
        [find_node(), compiler, "--strict", "--noEmit", tmp_path / "portal.ts"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_schema__that_there_is_no_type_for__ends_it() -> None:
    with pytest.raises(UnknownSchema):
        type_of({"type": "array", "items": {"not": {}}}, {})
    document = api_document()
    document["paths"]["/v1/status"]["get"]["parameters"].append(
        {"name": "else", "in": "cookie", "schema": {"type": "string"}}
    )
    with pytest.raises(UnknownSchema):
        write_calls(document)
