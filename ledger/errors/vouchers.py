"""Why a voucher is not brought to the chain: each before anything is sent.

VoucherRefused           a message that somebody signed is not good, or not good here
├── VoucherOfOtherChain
├── VoucherOfOtherContract
├── VoucherSignatureUnusable
├── VoucherSignatureHigh
├── VoucherOfWrongSigner
├── VoucherUsed
├── VoucherCancelled
├── VoucherExpired
└── VoucherAsleep
"""

from __future__ import annotations

from ledger.errors.asked import InputRefused


class VoucherRefused(InputRefused):
    """A message that somebody signed is not good, or not good here."""


class VoucherOfOtherChain(VoucherRefused):
    code = "voucher.other_chain"
    sentence = "The voucher was signed for the chain {found}; this is the chain {expected}."
    next_step = "Bring it where it was signed for, or have it signed anew for this chain."


class VoucherOfOtherContract(VoucherRefused):
    code = "voucher.other_contract"
    sentence = "The voucher was signed for {contract} at {found}; this ledger's is at {expected}."
    next_step = "Bring it to the ledger that it was signed for, or have it signed anew for this."


class VoucherSignatureUnusable(VoucherRefused):
    code = "voucher.signature_unusable"
    sentence = "The voucher's signature cannot be used: {problem}."
    next_step = "Have the voucher signed anew."


class VoucherSignatureHigh(VoucherRefused):
    """EIP-2: of the two signatures of the same key, contracts take the one with the low s."""

    code = "voucher.signature_high"
    sentence = "The voucher's signature has a high s, which no contract takes."
    next_step = "Bring the signature as its signer made it: this one was altered since."


class VoucherOfWrongSigner(VoucherRefused):
    code = "voucher.wrong_signer"
    sentence = "The voucher speaks for {account} and was not signed by it, or altered since."
    next_step = "Have it signed by {account}."


class VoucherUsed(VoucherRefused):
    code = "voucher.used"
    sentence = (
        "The voucher has counted: operation {operation_id} of {account} was done, by line {line} "
        "of the journal of {contract}."
    )
    next_step = "Nothing is to be done; have a new one signed for something new."


class VoucherCancelled(VoucherRefused):
    code = "voucher.cancelled"
    sentence = "The voucher was cancelled: {account} took its operation {operation_id} back."
    next_step = "Have a new one signed if it is meant after all."


class VoucherExpired(VoucherRefused):
    code = "voucher.expired"
    sentence = "The voucher was good until {deadline}; the chain's time is {time}."
    next_step = "Have a new one signed."


class VoucherAsleep(VoucherRefused):
    code = "voucher.asleep"
    sentence = "The voucher's deadline {deadline} is too far ahead: no contract takes it yet."
    next_step = "Bring it {days} days before its deadline, or have one signed with a nearer one."
