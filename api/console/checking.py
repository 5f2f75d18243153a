"""What a page tells the reader's browser for checking a certificate, or a node, by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from fastapi import Request

from api.answers import Reading
from api.console.languages import Language
from api.console.names import programme_names
from ledger.chain.deployments import DeployedContract, deployment_path, read_deployment
from ledger.errors import LedgerError
from ledger.mirror.queries.moments import Contract, read_contracts
from ledger.mirror.queries.programmes import read_programmes


def what_to_check_by(request: Request, reading: Reading, language: Language) -> dict[str, str]:
    """The values of the template `check.html`: the ledger, and the programmes' names by number."""
    return {
        "known": json.dumps(_ledger_known(request, reading), sort_keys=True),
        "names": _programmes_named(reading, language),
    }


def contracts_to_compare(
    request: Request, reading: Reading
) -> Sequence[DeployedContract | Contract]:
    """The contracts of the deployment's file with their code's hashes; where there is no such file,
    those that the mirror follows.
    """
    with suppress(LedgerError):
        path = deployment_path(request.app.state.settings, reading.state.chain_id)
        return tuple(read_deployment(path).contracts.values())
    return read_contracts(reading.connection)


def _ledger_known(request: Request, reading: Reading) -> dict[str, Any]:
    """The chain and its contracts, each with its code's hash, as an anchor names them.

    The mirror follows the contracts that keep journals; of the others the deployment's file knows,
    without which no certificate is given either.
    """
    state, contracts = reading.state, read_contracts(reading.connection)
    found: dict[str, Any] = {
        "chain_id": state.chain_id,
        "genesis_hash": _hex(state.genesis_hash),
        "contracts": {},
        "code_hashes": {each.name: _hex(each.code_hash) for each in contracts},
    }
    with suppress(LedgerError):
        deployment = read_deployment(deployment_path(request.app.state.settings, state.chain_id))
        found["recovery_delay"] = deployment.recovery_delay
        found["contracts"] = {
            name: _hex(each.address) for name, each in deployment.contracts.items()
        }
    found["contracts"] |= {each.name: _hex(each.address) for each in contracts}
    return found


def _programmes_named(reading: Reading, language: Language) -> str:
    programmes = read_programmes(reading.connection, reading.moment)
    named = programme_names(language, programmes)
    return json.dumps({each.programme_id: named[each.key].short for each in programmes})


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
