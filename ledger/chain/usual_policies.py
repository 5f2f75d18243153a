"""What the keys of a ledger usually sign, by what they are for: a policy to begin with.

It gives each officer what its role may do on the chain, and no more; a relaying key only what
somebody else has signed. It is no rule: the contracts check the role itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_COUNCIL_ACTS = ("propose", "approve", "cancel", "execute", "cancelMessage")

USUAL_CALLS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "deployer": ("deploy", "CreditTokens.create"),
        "admin": (
            "Authority.appoint",
            "Authority.dismiss",
            "Authority.resume",
            "Authority.beginDefaultAdminTransfer",
            "Authority.acceptDefaultAdminTransfer",
            "Authority.cancelDefaultAdminTransfer",
            "Authority.changeDefaultAdminDelay",
            "Authority.rollbackDefaultAdminDelay",
        ),
        "guardian": ("Authority.pause", "Council.cancel"),
        "registrar": (
            "Organisations.register",
            "Organisations.changeProfile",
            "Memberships.admit",
            "Memberships.admitByConsent",
            "Memberships.renew",
            "Memberships.changeTier",
            "Memberships.suspend",
            "Memberships.resume",
            "Memberships.revoke",
            "Memberships.decline",
            "Memberships.announceMove",
        ),
        "issuer": (
            "Credits.award",
            "Credits.reverse",
            "Credits.AwardBatch",
            "Credits.Cancellation",
            "Credits.cancelMessage",
        ),
        "treasurer": (
            "Programmes.setBudget",
            "Programmes.setCategoryBudget",
            "Benefits.list",
            "Benefits.close",
            "Benefits.fulfil",
            "Benefits.cancel",
        ),
        "council": (
            *(f"Council.{act}" for act in _COUNCIL_ACTS),
            "Council.Approval",
            "Council.Cancellation",
            "Programmes.*",
            "Organisations.changeProfile",
            "Organisations.beginRecovery",
            "Organisations.finishRecovery",
            "Organisations.stopRecovery",
            "Organisations.retire",
            "Organisations.nameSuccessor",
            "Memberships.changeMetadataBase",
            "Credits.award",
            "Credits.reverse",
            "Credits.expire",
            "Credits.carryOver",
            "Shares.post",
            "Shares.withdraw",
        ),
        "relayer": (
            "Credits.awardBySignature",
            "Credits.cancelMessageBySignature",
            "Memberships.cancelMessageBySignature",
            "Benefits.redeemBySignature",
            "Benefits.cancelMessageBySignature",
            "Shares.claimBySignature",
            "Shares.cancelMessageBySignature",
            "Organisations.nominateBySignature",
            "Organisations.acceptControlBySignature",
            "Organisations.stopRecoveryBySignature",
            "Organisations.cancelMessageBySignature",
            "Council.approveBySignature",
            "Council.cancelMessageBySignature",
        ),
    }
)
"""Entries of a policy (`ledger.chain.policies`) for the key of each office."""
