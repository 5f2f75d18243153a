"""The chain is not the one that this ledger was deployed on.

ChainProblem
├── ChainMismatch
├── DataOfOtherChain
├── OtherRelease
├── CodeMismatch
├── ContractMissing
├── WiringMismatch
├── DevnetFailed
└── DevnetStateUnusable
"""

from __future__ import annotations

from ledger.errors.base import LedgerError


class ChainProblem(LedgerError):
    """The chain is not the one that this ledger was deployed on."""


class ChainMismatch(ChainProblem):
    code = "chain.mismatch"
    sentence = "This is another chain: {what} is {found}, the ledger was deployed on {expected}."
    next_step = "Point MOONLAKE_RPC_URL at the right chain, or use another MOONLAKE_HOME."


class DataOfOtherChain(ChainProblem):
    """The devnet was begun anew beside data of the chain before it."""

    code = "chain.data_of_other_chain"
    sentence = "The devnet's chain began anew, but {what} is of the chain before it."
    next_step = (
        "`moonlake up --fresh` (`moonlake up --demo --fresh` for the demonstration) moves the old "
        "data aside and begins with an empty ledger; nothing is deleted."
    )


class OtherRelease(ChainProblem):
    code = "chain.other_release"
    sentence = "The contracts on the devnet are those of another release: {detail}"
    next_step = (
        "Use that release, or let `moonlake up --fresh` move its data aside and begin with an "
        "empty ledger; nothing is deleted."
    )


class CodeMismatch(ChainProblem):
    code = "chain.code_mismatch"
    sentence = "{contract} at {address} does not carry the code of this build."
    next_step = "Use the release that deployed it, or name the right file with MOONLAKE_DEPLOYMENT."


class ContractMissing(ChainProblem):
    code = "chain.contract_missing"
    sentence = (
        "There is no code at {address}, where {contract} was deployed in block {block}; "
        "the node is at block {head}."
    )
    next_step = (
        "If the node is behind, wait; if the devnet lost its state, run `moonlake devnet reset` "
        "and deploy again."
    )


class WiringMismatch(ChainProblem):
    code = "chain.wiring_mismatch"
    sentence = "The contracts do not belong together: {what} is {found}, not {expected}."
    next_step = "Name the right deployment file with MOONLAKE_DEPLOYMENT."


class DevnetFailed(ChainProblem):
    code = "chain.devnet_failed"
    sentence = "The devnet did not start: {problem}."
    next_step = "Read {log} for what anvil said."


class DevnetStateUnusable(ChainProblem):
    code = "chain.devnet_state_unusable"
    sentence = "No saved state of the devnet in {folder} can be used: {problem}."
    next_step = "Run `moonlake devnet reset`: it sets the files aside and a new chain can begin."
