"""Writes the generated files."""

from __future__ import annotations

from pathlib import Path

from api.client_code.files import generated_files

ROOT = Path(__file__).parents[2]

for name, text in generated_files(ROOT).items():
    (ROOT / name).write_text(text, "utf-8")
