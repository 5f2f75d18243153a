"""The generated files, by their places."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api.app import create_app
from api.client_code.calls import write_calls
from api.client_code.types import write_models
from ledger.chain.toolchain import find_node, find_node_package
from ledger.config import Settings

MODELS = "ledger/client/models.py"
CALLS = "ledger/client/calls.py"
TYPESCRIPT = "api/openapi.d.ts"

_HEAD = """\
/**
 * The types of the HTTP API, made from its description; the server gives them at /openapi.d.ts.
 * Use them with openapi-fetch, or by `components["schemas"]["Entry"]`.
 */
"""


def api_document() -> dict[str, Any]:
    """The API's description, of a server without a ledger."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(home=Path(folder), _env_file=None))
        return app.openapi()


def generated_files(root: Path) -> Mapping[str, str]:
    """What is generated, by path."""
    document = api_document()
    return {
        MODELS: formatted(write_models(document), root / MODELS),
        CALLS: formatted(write_calls(document), root / CALLS),
        TYPESCRIPT: typescript(document),
    }


def formatted(code: str, path: Path) -> str:
    """The code as `ruff format` writes it."""
    ruff = Path(sys.executable).parent / "ruff"
    command = [str(ruff), "format", "--stdin-filename", str(path), "-"]
    return subprocess.run(
        command, input=code, capture_output=True, text=True, check=True, cwd=path.parents[2]
    ).stdout


def typescript(document: Mapping[str, Any]) -> str:
    """TypeScript's types, by npm's openapi-typescript."""
    program = find_node_package("openapi-typescript") / "bin" / "cli.js"
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "openapi.json"), Path(folder, "openapi.d.ts")
        source.write_text(json.dumps(document), "utf-8")
        subprocess.run(
            [
                str(find_node()),
                str(program),
                str(source),
                "--output",
                str(made),
                "--alphabetize",
                "--root-types",
                "--root-types-no-schema-prefix",
            ],
            capture_output=True,
            check=True,
            cwd=folder,
        )
        return _HEAD + made.read_text("utf-8")
