"""A transaction's fate.

SendingProblem
├── OperationConflict
├── OperationOfAnother
├── OperationCancelled
├── OperationSettled
├── OperationFailed
├── KeyHalted
├── FundsTooLow
├── FeesTooHigh
├── TransactionTooLarge
├── NonceTaken
├── OutcomeOpen
└── ReceiptOverdue
"""

from __future__ import annotations

from ledger.errors.base import LedgerError


class SendingProblem(LedgerError):
    """A transaction's fate."""


class OperationConflict(SendingProblem):
    code = "sending.operation_conflict"
    sentence = "Operation {operation_id} was already asked for with other content."
    next_step = "Use a new operation id, or send the same content again."


class OperationOfAnother(SendingProblem):
    code = "sending.operation_of_another_signer"
    sentence = "Operation {operation_id} was asked for with the key of {signer}, not of {given}."
    next_step = (
        "Sign with that key again, or use a new operation id for something new. The id of an "
        "operation that failed is free for another key once nothing that was signed for it can "
        "come back."
    )


class OperationCancelled(SendingProblem):
    code = "sending.operation_cancelled"
    sentence = "Operation {operation_id} was cancelled; nothing of it was done."
    next_step = "Use a new operation id to have it done after all."


class OperationSettled(SendingProblem):
    """It cannot be cancelled: it was done, or ended in another way."""

    code = "sending.operation_settled"
    sentence = "Operation {operation_id} cannot be cancelled: it is {state}."
    next_step = "See it with `moonlake operation show {operation_id}`."


class OperationFailed(SendingProblem):
    """What another process found out about an operation, in its words."""

    code = "sending.operation_failed"
    sentence = "{sentence}"
    next_step = "{advice}"
    phrases = frozenset({"sentence", "advice"})

    def __init__(self, *, sentence: str, advice: str) -> None:
        super().__init__(sentence=sentence, advice=advice)


class KeyHalted(SendingProblem):
    """Its nonce went to a transaction that this outbox did not sign."""

    code = "sending.key_halted"
    sentence = (
        "The key of {address} is used elsewhere: its nonce {nonce} went to a transaction that was "
        "not sent from here. Nothing more is signed with it."
    )
    next_step = (
        "Find out what else signs with this key and stop it. Then run "
        "`moonlake operation resume {address}`: what waits is signed anew, and done once."
    )


class FundsTooLow(SendingProblem):
    """`balance` and `needed` in wei; `missing` what to send there at least."""

    code = "sending.funds_too_low"
    sentence = "{address} has {balance} wei and needs {needed} wei for this transaction."
    next_step = (
        "Send it {missing} wei or more of the chain's coin, then run the same command again."
    )

    def __init__(
        self, *, address: str, balance: int, needed: int | str, missing: int | str = ""
    ) -> None:
        if not missing:
            missing = needed - balance if isinstance(needed, int) else "some"
        super().__init__(address=address, balance=balance, needed=needed, missing=missing)


class FeesTooHigh(SendingProblem):
    """Both in wei for one unit of gas."""

    code = "sending.fees_too_high"
    sentence = (
        "One unit of gas costs {price} wei now, more than the {ceiling} wei that "
        "MOONLAKE_MAX_FEE_GWEI allows; nothing was signed."
    )
    next_step = "Wait until the chain is less busy, or raise MOONLAKE_MAX_FEE_GWEI."


class TransactionTooLarge(SendingProblem):
    """`bound` says whose limit `most` is."""

    code = "sending.too_large"
    sentence = "The transaction would need {gas} gas; one transaction may use {most}{bound}."
    next_step = "Split it into several operations with fewer rows each."
    phrases = frozenset({"bound"})

    def __init__(self, *, gas: int | str, most: int | str, bound: str = "") -> None:
        super().__init__(gas=gas, most=most, bound=bound)


class NonceTaken(SendingProblem):
    code = "sending.nonce_taken"
    sentence = (
        "Transaction {transaction_hash} can get into no block: its sender has used nonce {nonce} "
        "for another."
    )
    next_step = "Run the same command with the same operation id; it is signed anew."


class OutcomeOpen(SendingProblem):
    """Something went wrong after an operation was written down; `cause` is the code of that."""

    code = "sending.outcome_open"
    sentence = (
        "{problem} What was asked is kept as operation {operation_id}, and may be done already."
    )
    next_step = (
        "Put that right, then run the same command with that id as its --operation-id: so it is "
        "done once. `moonlake operation show` says how far it is."
    )
    phrases = frozenset({"problem"})


class ReceiptOverdue(SendingProblem):
    code = "sending.receipt_overdue"
    sentence = "Transaction {transaction_hash} is not in a block after {seconds} s."
    next_step = "It is kept and can be sent again: run the same command with the same operation id."
