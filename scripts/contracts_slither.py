"""Runs Slither on all contracts, and holds its findings against the answers given in writing.

Slither is given the compiler's answer as a build of Foundry's would be: syntax trees and
interfaces, without code, which it does not read. A finding of high or medium impact without an
answer fails.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from bootstrap import ROOT, tool_environment

from ledger.chain.compile import find_compiler, standard_json
from ledger.chain.toolchain import find_foundry_tool

ANSWERS = ROOT / "tests" / "contracts" / "slither.json"
NO_CODE = {"object": "", "sourceMap": ""}
ANSWERED = ("High", "Medium")


def run_slither(folder: Path) -> dict[str, Any]:
    """All findings, those of high and medium impact with their answers."""
    build_info = folder / "build-info"
    build_info.mkdir(parents=True, exist_ok=True)
    version = _write_build_info(build_info / "contracts.json")
    findings = _findings(folder, build_info)
    answers = {(a["check"], a["element"]): a["answer"] for a in json.loads(ANSWERS.read_text())}
    listed = []
    for finding in findings:
        if finding["impact"] not in ANSWERED:
            continue
        key = (finding["check"], _element(finding))
        listed.append(
            {
                "impact": finding["impact"],
                "check": key[0],
                "element": key[1],
                "answer": answers.get(key, ""),
            }
        )
    return {
        "tool": _version(),
        "compiler": version,
        "counts": dict(Counter(finding["impact"] for finding in findings)),
        "checks": dict(Counter(finding["check"] for finding in findings)),
        "findings": sorted(listed, key=lambda f: (f["impact"], f["check"], f["element"])),
        "ok": all(found["answer"] for found in listed),
    }


def _write_build_info(path: Path) -> str:
    names = [source.stem for source in sorted((ROOT / "contracts").glob("*.sol"))]
    document = standard_json(ROOT, names)
    document["settings"]["outputSelection"] = {
        "*": {"": ["ast"], "*": ["abi", "devdoc", "userdoc"]}
    }
    with find_compiler(ROOT) as compiler:
        done = subprocess.run(
            [compiler.program, "--standard-json"],
            input=json.dumps(document),
            capture_output=True,
            text=True,
            check=True,
        )
        version = compiler.version
    answer = json.loads(done.stdout)
    for contracts in answer["contracts"].values():
        for contract in contracts.values():
            contract["evm"] = {"bytecode": NO_CODE, "deployedBytecode": NO_CODE}
    build = {"solcVersion": version.split("+")[0], "input": document, "output": answer}
    path.write_text(json.dumps(build))
    return version


def _findings(folder: Path, build_info: Path) -> list[dict[str, Any]]:
    report = folder / "slither.json"
    report.unlink(missing_ok=True)
    forge = find_foundry_tool("forge").parent  # it asks forge for the settings
    done = subprocess.run(
        [
            *(str(tool_environment("slither") / "slither"), "."),
            *("--compile-force-framework", "Foundry", "--ignore-compile"),
            *("--foundry-build-info-directory", str(build_info)),
            *("--filter-paths", "node_modules", "--json", str(report)),
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{forge}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.is_file():
        raise RuntimeError(f"Slither failed: {done.stderr[-2000:]}")
    answer = json.loads(report.read_text())
    if not answer["success"]:
        raise RuntimeError(f"Slither failed: {answer['error']}")
    found: list[dict[str, Any]] = answer["results"].get("detectors", [])
    return found


def _element(finding: dict[str, Any]) -> str:
    """The first thing that a finding is about, as `Contract.function`."""
    element = finding["elements"][0]
    parent = element.get("type_specific_fields", {}).get("parent", {})
    while parent.get("type") not in {"contract", None}:
        element, parent = parent, parent["type_specific_fields"]["parent"]
    return f"{parent['name']}.{element['name']}" if parent else str(element["name"])


def _version() -> str:
    program = tool_environment("slither") / "slither"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return f"Slither {done.stdout.strip()}"
