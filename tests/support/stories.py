"""What happens in a ledger: `tell_everything` makes its contracts emit every event there is."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain.contracts import authority, memberships, organisations, programmes
from ledger.chain.contracts.contract import encode_call
from ledger.domain.commands import Renewal, TierChange
from ledger.domain.ids import OrgId, ProgrammeId, TierId
from tests.support.dealings import deal
from tests.support.happenings import DELAY, FAR, Ledger, commitment
from tests.support.proposals import propose_everything

SIGNED = ("Organisations", "Memberships", "Credits", "Benefits", "Shares", "Council")
"""The contracts that take signed messages."""


def tell_everything(ledger: Ledger) -> None:
    """Make the contracts emit every event that they have, some of them together in one block."""
    one = ledger.found_programme("community")
    two = ledger.found_programme("fund")
    orgs = ledger.register(4)
    _change_programmes(ledger, one)
    ledger.send(
        "registrar",
        "Organisations",
        organisations.encode_change_profile(orgs[0], commitment("new"), ledger.operation()),
    )
    for programme in (one, two):
        ledger.admit(programme, orgs[:3])
    _change_standings(ledger, one, orgs)
    _award_and_reverse(ledger, one, two, orgs)
    _cancel_messages(ledger)
    deal(ledger)
    propose_everything(ledger, two)
    _change_authority(ledger)


def _award_and_reverse(
    ledger: Ledger, one: ProgrammeId, two: ProgrammeId, orgs: Sequence[OrgId]
) -> None:
    ledger.award(one, (orgs[1], 100), (orgs[2], 50), (orgs[1], 7))
    entries = ledger.contracts.credits.sequence(at="latest")
    ledger.together(
        lambda: [
            ledger.hold(
                "issuer", "Credits", ledger.award_call(two, [(orgs[1], 5)], ledger.operation())
            ),
            ledger.hold(
                "council",
                "Credits",
                ledger.award_call(one, [(orgs[1], 9), (orgs[2], 1)], ledger.operation()),
            ),
        ]
    )
    ledger.reverse(one, entries - 2)


def _cancel_messages(ledger: Ledger) -> None:
    """In each contract, and so that the numbers of entries have a gap."""
    operation = ledger.operation()
    for contract in SIGNED:
        ledger.send("member", contract, encode_call(contract, "cancelMessage", operation))
    ledger.send("issuer", "Credits", encode_call("Credits", "cancelMessage", operation))
    base = encode_call(
        "Memberships", "changeMetadataBase", "https://moonlake.example/", ledger.operation()
    )
    ledger.send("council", "Memberships", base)


def _change_programmes(ledger: Ledger, programme: ProgrammeId) -> None:
    for calldata in (
        programmes.encode_change_profile(programme, commitment("changed"), ledger.operation()),
        programmes.encode_change_supply_cap(programme, 2 * 10**9, ledger.operation()),
        programmes.encode_change_approvals_needed(programme, 2, ledger.operation()),
        programmes.encode_set_tier_open(
            programme, TierId(2), is_open=False, operation_id=ledger.operation()
        ),
        programmes.encode_set_tier_open(
            programme, TierId(2), is_open=True, operation_id=ledger.operation()
        ),
        programmes.encode_close_categories(programme, ["scenario.share"], ledger.operation()),
    ):
        ledger.send("council", "Programmes", calldata)


def _change_standings(ledger: Ledger, programme: ProgrammeId, orgs: Sequence[OrgId]) -> None:
    change = ledger.change_memberships
    change(
        memberships.encode_renew, programme, [Renewal(orgs[0], FAR + 1), Renewal(orgs[1], FAR + 2)]
    )
    change(memberships.encode_change_tier, programme, [TierChange(orgs[1], TierId(2))], "fee.paid")
    change(memberships.encode_suspend, programme, [orgs[0], orgs[2]], "fee.unpaid")
    change(memberships.encode_resume, programme, [orgs[2]])
    change(memberships.encode_revoke, programme, [orgs[0]], "left")
    ledger.admit(programme, [orgs[0]])
    change(memberships.encode_revoke, programme, [orgs[0]], "left.again")
    change(memberships.encode_decline, programme, [orgs[3]], "incomplete")


def _change_authority(ledger: Ledger) -> None:
    """The default admin's own steps, ending with the member account as default admin."""
    member = ledger.officers["member"].address
    issuer = ledger.officers["issuer"].address
    for officer, calldata in (
        ("admin", authority.encode_dismiss("issuer", ProgrammeId(0), issuer, ledger.operation())),
        ("admin", authority.encode_appoint("issuer", ProgrammeId(1), issuer, ledger.operation())),
        ("admin", authority.encode_appoint("issuer", ProgrammeId(0), issuer, ledger.operation())),
        ("guardian", authority.encode_pause(ledger.operation())),
        ("admin", authority.encode_resume(ledger.operation())),
        ("admin", authority.encode_change_admin_delay(9)),
        ("admin", encode_call("Authority", "rollbackDefaultAdminDelay")),
        ("admin", authority.encode_begin_admin_transfer(issuer)),
        ("admin", authority.encode_cancel_admin_transfer()),
        ("admin", authority.encode_begin_admin_transfer(member)),
    ):
        ledger.send(officer, "Authority", calldata)
    ledger.anvil.rpc.call("evm_increaseTime", hex(DELAY + 1))
    ledger.anvil.mine()
    ledger.send("member", "Authority", authority.encode_accept_admin_transfer())
    ledger.officers["admin"], ledger.officers["member"] = (
        ledger.officers["member"],
        ledger.officers["admin"],
    )
