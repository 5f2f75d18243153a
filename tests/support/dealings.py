"""What organisations go through: redemptions, expiry, changes of control, mergers, shares.

All of it in a programme of its own, whose first epoch ends on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.chain.contracts.contract import encode_call
from ledger.chain.contracts.memberships import encode_revoke
from ledger.chain.merkle import share_leaf, shares_tree
from ledger.chain.messages import write_application
from ledger.chain.typed_data import MessageDomain, sign_message
from ledger.domain.commands import Admission
from ledger.domain.ids import OrgId, ProgrammeId, TierId
from ledger.domain.keys import encode_key
from ledger.domain.shares import ShareRule, share_pool
from tests.support.happenings import FAR, Ledger, commitment

CHECKING = 24 * 60 * 60
"""Seconds that everybody has to recompute shares before they are claimed."""

RULE = ShareRule()
"""By which pools are shared: a credit is a credit."""

NOBODY = bytes(20)
NOTHING = bytes(32)
EPOCH = 1


@dataclass(frozen=True)
class Dealings:
    """The programme and its organisations, called by what becomes of them."""

    ledger: Ledger
    programme: ProgrammeId
    rotated: OrgId
    recovered: OrgId
    merged: OrgId
    indebted: OrgId
    ended: OrgId
    applicant: OrgId

    def ask(self, officer: str, contract: str, function: str, *values: Any) -> int:
        """Send a command with an operation id of its own; its block."""
        calldata = encode_call(contract, function, *values, self.ledger.operation())
        return self.ledger.send(officer, contract, calldata)

    def controller(self, org_id: OrgId) -> str:
        """The name of who acted for the organisation first."""
        return self.ledger.controller(org_id)

    def last_entry(self) -> int:
        """The number of the last line of the credit journal."""
        return self.ledger.contracts.credits.sequence(at="latest")


def deal(ledger: Ledger) -> None:
    """Let all of that happen."""
    end = ledger.now + 10_000
    programme = ledger.found_programme("pool", boundaries=(1_600_000_000, end, FAR))
    dealings = Dealings(ledger, programme, *ledger.register(6))
    members = [dealings.rotated, dealings.recovered, dealings.merged]
    ledger.admit(programme, [*members, dealings.indebted, dealings.ended])
    _admit_by_consent(dealings)
    _set_category_budgets(dealings)
    first = _award_and_expire(dealings)
    _redeem(dealings)
    _rotate(dealings)
    ledger.reverse(programme, first + 3)
    _merge(dealings)
    _recover(dealings)
    _share(dealings)


def _admit_by_consent(told: Dealings) -> None:
    ledger, applicant = told.ledger, told.applicant
    application = ledger.operation()
    domain = MessageDomain(
        "Memberships", ledger.deployment.chain_id, ledger.addresses["Memberships"]
    )
    admission = Admission(applicant, TierId(1), FAR, commitment("application"))
    controller = ledger.officers[told.controller(applicant)]
    message = write_application(
        domain,
        told.programme,
        admission,
        account=controller.address,
        application_id=application,
        deadline=ledger.now + 10_000,
    )
    signed = sign_message(message, controller, now=ledger.now)
    told.ask(
        "registrar",
        "Memberships",
        "admitByConsent",
        told.programme,
        [
            {
                "orgId": applicant,
                "tier": 1,
                "expiresAt": FAR,
                "evidence": admission.evidence,
            }
        ],
        [
            {
                "applicationId": application,
                "signed": {
                    "signer": signed.signer,
                    "deadline": signed.deadline,
                    "signature": signed.signature,
                },
            }
        ],
        NOTHING,
    )


def _set_category_budgets(told: Dealings) -> None:
    issuer = told.ledger.officers["issuer"].address
    for category, limited, per_epoch in (
        ("data.acquire", True, 10**6),
        ("satellite.build", True, 0),
        ("satellite.build", False, 0),
    ):
        key = encode_key(category)
        values = (told.programme, issuer, key, limited, per_epoch)
        told.ask("treasurer", "Programmes", "setCategoryBudget", *values)


def _award_and_expire(told: Dealings) -> int:
    """An award expires in part and is then reversed; another in full. The first's number."""
    ledger, programme = told.ledger, told.programme
    ledger.award(
        programme,
        (told.rotated, 100),
        (told.recovered, 80),
        (told.merged, 50),
        (told.indebted, 60),
        (told.rotated, 40),
    )
    first = told.last_entry() - 4
    expiries = [
        _expiry(first, told.rotated, 30),
        _expiry(first + 1, told.recovered, 20),
        _expiry(first + 4, told.rotated, 40),
    ]
    told.ask("council", "Credits", "expire", programme, expiries, commitment("policy"))
    ledger.reverse(programme, first)
    return first


def _expiry(entry_id: int, org_id: OrgId, amount: int) -> Mapping[str, Any]:
    category = encode_key("data.acquire")
    return {
        "entryId": entry_id,
        "orgId": org_id,
        "amount": amount,
        "leaves": 0,
        "category": category,
    }


def _redeem(told: Dealings) -> None:
    """Redemptions that are fulfilled, cancelled, and left open; a listing that is closed."""
    ledger, programme = told.ledger, told.programme
    for profile in ("seats", "hours"):
        listing = {
            "programmeId": programme,
            "price": 10,
            "capacity": 20,
            "perOrganisation": 5,
            "opensAt": 0,
            "closesAt": FAR,
            "profile": commitment(profile),
        }
        told.ask("council", "Benefits", "list", listing)
    for org_id, listing_id, quantity in (
        (told.recovered, 1, 2),
        (told.recovered, 1, 1),
        (told.recovered, 2, 1),
        (told.merged, 1, 1),
        (told.indebted, 2, 3),
    ):
        told.ask(told.controller(org_id), "Benefits", "redeem", listing_id, org_id, quantity)
    told.ask("treasurer", "Benefits", "fulfil", programme, [1, 5], commitment("delivered"))
    told.ask("council", "Benefits", "cancel", 2, commitment("sold out"))
    told.ask("council", "Benefits", "close", 2)
    controller = told.controller(told.recovered)
    ledger.together(
        lambda: [
            ledger.hold(
                controller,
                "Benefits",
                encode_call("Benefits", "redeem", 1, told.recovered, 1, ledger.operation()),
            ),
            ledger.hold(
                "issuer",
                "Credits",
                ledger.award_call(programme, [(told.recovered, 3)], ledger.operation()),
            ),
        ]
    )


def _rotate(told: Dealings) -> None:
    """A successor is named, withdrawn, named again, and takes over."""
    ledger, org_id = told.ledger, told.rotated
    heir = ledger.officers["member"].address
    for successor in (ledger.officers["second"].address, NOBODY, heir):
        told.ask(told.controller(org_id), "Organisations", "nominate", org_id, successor)
    told.ask("member", "Organisations", "acceptControl", org_id)


def _merge(told: Dealings) -> None:
    """Two are merged into one, with credits and with a debt; another ends, and joins them later.

    A redemption of one of them is given back later, and carried over as well.
    """
    programme, heir = told.programme, told.recovered
    told.ledger.change_memberships(
        encode_revoke, programme, [told.merged, told.indebted, told.ended], "merged"
    )
    for org_id, successor in ((told.merged, heir), (told.indebted, heir), (told.ended, 0)):
        evidence = commitment("contract of merger")
        told.ask("council", "Organisations", "retire", org_id, successor, evidence)
    for org_ids in ([told.merged, told.indebted], [told.merged]):
        evidence = commitment("contract of merger")
        told.ask("council", "Credits", "carryOver", programme, org_ids, evidence)
        if len(org_ids) > 1:
            told.ask("council", "Benefits", "cancel", 4, commitment("merged"))
    evidence = commitment("contract of merger, found later")
    told.ask("council", "Organisations", "nameSuccessor", told.ended, heir, evidence)


def _recover(told: Dealings) -> None:
    """The controller objects once, the council withdraws once, and the third time it is done."""
    org_id, rescuer = told.recovered, told.ledger.officers["second"].address
    for stopper in (told.controller(org_id), "council", ""):
        evidence = commitment("lost key")
        told.ask("council", "Organisations", "beginRecovery", org_id, rescuer, evidence)
        if stopper:
            told.ask(stopper, "Organisations", "stopRecovery", org_id)
    delay = told.ledger.contracts.organisations.read("recoveryDelay", at="latest")
    told.ledger.pass_time(max(delay, 10_000) + 1)
    told.ask("council", "Organisations", "finishRecovery", org_id)


def _share(told: Dealings) -> None:
    """The first epoch is over: one pool is shared, and another one taken back after a claim."""
    shared = share_pool(RULE, 42, told.ledger.entries(told.programme))
    shares = {share.org_id: share.amount for share in shared.shares}
    tree = shares_tree(told.programme, EPOCH, shared)
    distribution = {
        "programmeId": told.programme,
        "epoch": EPOCH,
        "pool": shared.pool,
        "unit": encode_key("slots"),
        "rule": RULE.digest(),
        "root": tree.root,
        "claimableFrom": told.ledger.now + 2 * CHECKING,
        "claimableUntil": FAR,
    }
    for _ in range(2):
        told.ask("council", "Shares", "post", distribution, commitment("computation"))
    told.ledger.pass_time(2 * CHECKING)
    for org_id, by, number in (
        (told.rotated, "member", 2),
        (told.rotated, "member", 1),
        (told.merged, "second", 1),
        (told.recovered, "second", 1),
    ):
        leaf = share_leaf(told.programme, EPOCH, org_id, shares[org_id])
        proof = list(tree.proof(leaf))
        told.ask(by, "Shares", "claim", number, org_id, shares[org_id], proof)
    told.ask("council", "Shares", "withdraw", 2, commitment("twice"))
