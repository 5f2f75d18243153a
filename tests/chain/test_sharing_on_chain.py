"""What councils compute off the chain, taken by the contracts: shares by their proofs, expiries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from ledger.chain.artifacts import load_artifact
from ledger.chain.contracts import credit_tokens, memberships, organisations, programmes, shares
from ledger.chain.contracts import credits as journal
from ledger.chain.keccak import keccak256
from ledger.chain.logs import ContractEvents
from ledger.chain.merkle import share_leaf, shares_tree
from ledger.chain.messages import write_claim
from ledger.chain.receipts import Log
from ledger.chain.signers import LocalSigner
from ledger.chain.typed_data import MessageDomain, sign_message
from ledger.domain.commands import Admission, Award, Registration
from ledger.domain.events import EntryPosted
from ledger.domain.expiry import (
    DatedEntry,
    ExpiryPolicy,
    commit_to_computation,
    compute_expiries,
    describe_computation,
)
from ledger.domain.ids import BlockNumber, DistributionId, EntryId, LogIndex, OrgId
from ledger.domain.shares import Share, ShareRule, share_pool
from ledger.domain.sharing import Distribution
from ledger.errors import ContractRefused
from tests.support.anvil import Anvil
from tests.support.ledger import (
    CATEGORY,
    FIRST_TIER,
    MEMBER,
    PROGRAMME,
    Ledger,
    running_ledger,
)

D1 = DistributionId(1)
CLAIMANTS = {
    OrgId(number): LocalSigner(keccak256(f"claimant {number}".encode())) for number in (3, 4, 5)
}
AWARDED = {OrgId(3): 47, OrgId(4): 16, OrgId(5): 37}
ENTRIES = ContractEvents("Credits", load_artifact("Credits").abi)


@pytest.fixture
def ledger(start_anvil: Callable[..., Anvil], tmp_path: Path) -> Iterator[Ledger]:
    """A ledger whose first epoch has awards and is over, with a second one in force."""
    with running_ledger(start_anvil(), tmp_path) as running:
        contracts, op = running.contracts, running.operation
        end = contracts.programmes.boundary(PROGRAMME, 2, at="latest")
        running.do(
            contracts.programmes.address,
            programmes.encode_append_boundaries(PROGRAMME, [end + 10**6], op()),
        )
        registered = [Registration(key.address, "company") for key in CLAIMANTS.values()]
        running.do(contracts.organisations.address, organisations.encode_register(registered, op()))
        admitted = [Admission(org_id, FIRST_TIER, end + 10**7) for org_id in CLAIMANTS]
        running.do(
            contracts.memberships.address, memberships.encode_admit(PROGRAMME, admitted, "", op())
        )
        awards = [Award(org_id, amount, CATEGORY) for org_id, amount in AWARDED.items()]
        running.do(contracts.credits.address, journal.encode_award(PROGRAMME, awards, op()))
        running.anvil.rpc.call("evm_setNextBlockTimestamp", hex(end + 10))
        running.anvil.mine()
        yield running


def read_journal(ledger: Ledger) -> list[DatedEntry]:
    """All entries that the chain has, with the times of their blocks."""
    head = ledger.node.block_number()
    found = []
    for log in ledger.node.logs(0, head, [ledger.contracts.credits.address]):
        number = int(log.block_number, 16)
        topics = b"".join(bytes.fromhex(topic[2:]) for topic in msgspec.json.decode(log.topics))
        raw = Log(
            BlockNumber(number),
            LogIndex(0),
            0,
            bytes(32),
            ledger.contracts.credits.address,
            topics,
            bytes.fromhex(log.data[2:]),
        )
        _, values = ENTRIES.decode(raw)
        time = int(ledger.node.header(number).timestamp, 16)
        found.append(DatedEntry(EntryPosted(*values[:-1]), time))
    return found


def pass_time_to(ledger: Ledger, time: int) -> None:
    ledger.anvil.rpc.call("evm_setNextBlockTimestamp", hex(time))
    ledger.anvil.mine()


def boundaries(ledger: Ledger) -> list[int]:
    found = ledger.contracts.programmes
    count = found.boundary_count(PROGRAMME, at="latest")
    return [found.boundary(PROGRAMME, number, at="latest") for number in range(1, count + 1)]


def test_shares__computed_from_the_chain_s_entries__are_claimed_by_their_proofs(
    ledger: Ledger,
) -> None:
    contracts, op = ledger.contracts, ledger.operation
    begin, end = boundaries(ledger)[:2]
    epoch = [dated.entry for dated in read_journal(ledger) if begin <= dated.posted_at < end]
    rule = ShareRule()
    shared = share_pool(rule, 10, epoch)
    tree = shares_tree(PROGRAMME, 1, shared)
    assert shared.shares == (Share(OrgId(3), 5), Share(OrgId(4), 1), Share(OrgId(5), 4))
    now = int(ledger.node.header("latest").timestamp, 16)
    distribution = Distribution(
        PROGRAMME, 1, shared.pool, "slots", rule.digest(), tree.root, now + 10**5, now + 10**6
    )
    ledger.do(contracts.shares.address, shares.encode_post(distribution, op()))
    assert contracts.shares.distribution(D1, at="latest").distribution == distribution

    pass_time_to(ledger, now + 10**5)
    claimed = 0
    for share in shared.shares:
        proof = tree.proof(share_leaf(PROGRAMME, 1, share.org_id, share.amount))
        operation = op()
        domain = MessageDomain("Shares", 31337, contracts.shares.address)
        message = write_claim(
            domain,
            PROGRAMME,
            D1,
            share.org_id,
            share.amount,
            account=CLAIMANTS[share.org_id].address,
            operation_id=operation,
            deadline=now + 10**6,
        )
        signed = sign_message(message, CLAIMANTS[share.org_id], now=now)
        more = Share(share.org_id, share.amount + 1)
        with pytest.raises(ContractRefused, match="SignedInvalid"):
            ledger.prepare(
                contracts.shares.address,
                shares.encode_claim_by_signature(D1, more, proof, operation, signed),
            )
        ledger.do(
            contracts.shares.address,
            shares.encode_claim_by_signature(D1, share, proof, operation, signed),
        )
        claimed += share.amount
        assert contracts.shares.is_claimed(D1, share.org_id, at="latest")
        assert contracts.shares.distribution(D1, at="latest").claimed == claimed
    assert claimed == shared.pool


def test_share__with_a_proof_of_another_s__is_refused(ledger: Ledger) -> None:
    contracts, op = ledger.contracts, ledger.operation
    shared = share_pool(ShareRule(), 10, [dated.entry for dated in read_journal(ledger)])
    tree = shares_tree(PROGRAMME, 1, shared)
    now = int(ledger.node.header("latest").timestamp, 16)
    posted = Distribution(
        PROGRAMME, 1, 10, "slots", ShareRule().digest(), tree.root, now + 10**5, now + 10**6
    )
    ledger.do(contracts.shares.address, shares.encode_post(posted, op()))
    claimant = CLAIMANTS[OrgId(4)]
    ledger.anvil.rpc.call("anvil_setBalance", "0x" + claimant.address.hex(), hex(10**20))
    pass_time_to(ledger, now + 10**5)
    proof = tree.proof(share_leaf(PROGRAMME, 1, OrgId(3), 5))

    with pytest.raises(ContractRefused, match="SharesProofInvalid"):
        ledger.prepare(
            contracts.shares.address,
            shares.encode_claim(D1, Share(OrgId(4), 5), proof, op()),
            by=claimant,
        )


def test_distribution__found_wrong_after_a_claim__is_withdrawn(ledger: Ledger) -> None:
    contracts, op = ledger.contracts, ledger.operation
    shared = share_pool(ShareRule(), 10, [dated.entry for dated in read_journal(ledger)])
    tree = shares_tree(PROGRAMME, 1, shared)
    now = int(ledger.node.header("latest").timestamp, 16)
    rule = ShareRule().digest()
    too_soon = Distribution(PROGRAMME, 1, 10, "slots", rule, tree.root, now + 9, now + 10**6)
    with pytest.raises(ContractRefused, match="everybody has until") as refused:
        ledger.prepare(contracts.shares.address, shares.encode_post(too_soon, op()))
    assert refused.value.values["name"] == "SharesClaimsTooSoon"
    posted = replace(too_soon, claimable_from=now + 10**5)
    ledger.do(contracts.shares.address, shares.encode_post(posted, op()))
    pass_time_to(ledger, now + 10**5)
    for org_id, amount in ((OrgId(3), 5), (OrgId(4), 1)):
        claimant = CLAIMANTS[org_id]
        ledger.anvil.rpc.call("anvil_setBalance", "0x" + claimant.address.hex(), hex(10**20))
        proof = tree.proof(share_leaf(PROGRAMME, 1, org_id, amount))
        claim = shares.encode_claim(D1, Share(org_id, amount), proof, op())
        if org_id == OrgId(3):
            ledger.do(contracts.shares.address, claim, by=claimant)
            ledger.do(contracts.shares.address, shares.encode_withdraw(D1, op()))
        else:
            with pytest.raises(ContractRefused, match="SharesWithdrawnAlready"):
                ledger.prepare(contracts.shares.address, claim, by=claimant)

    found = contracts.shares.distribution(D1, at="latest")
    assert (found.withdrawn, found.claimed) == (True, 5)


def test_expiries__computed_from_the_chain_s_entries__are_taken_and_not_due_again(
    ledger: Ledger,
) -> None:
    contracts, op = ledger.contracts, ledger.operation
    policy = ExpiryPolicy(0)
    at = int(ledger.node.header("latest").timestamp, 16)
    found = compute_expiries(policy, read_journal(ledger), boundaries(ledger), at)
    assert {each.org_id: each.amount for each in found} == AWARDED
    last = EntryId(contracts.credits.sequence(at="latest"))
    described = describe_computation(policy, PROGRAMME, last, at)

    for part in (found[:1], found[1:]):
        ledger.do(
            contracts.credits.address,
            journal.encode_expire(PROGRAMME, part, commit_to_computation(described), op()),
        )

    assert contracts.credits.outstanding(PROGRAMME, at="latest") == 0
    for expiry in found:
        expired_by, amount = contracts.credits.expiry_of(PROGRAMME, expiry.entry_id, at="latest")
        assert (amount, expired_by > last) == (expiry.amount, True)
    later = int(ledger.node.header("latest").timestamp, 16)
    assert compute_expiries(policy, read_journal(ledger), boundaries(ledger), later) == ()


def test_expiries__after_a_merger__are_taken_from_the_successor(ledger: Ledger) -> None:
    contracts, op = ledger.contracts, ledger.operation
    ledger.do(
        contracts.memberships.address,
        memberships.encode_revoke(PROGRAMME, [OrgId(4)], "merged", op()),
    )
    ledger.do(
        contracts.organisations.address,
        organisations.encode_retire(OrgId(4), op(), successor_id=OrgId(3)),
    )
    ledger.do(contracts.credits.address, journal.encode_carry_over(PROGRAMME, [OrgId(4)], op()))
    assert contracts.organisations.is_retired(OrgId(4), at="latest")
    assert contracts.organisations.successor_of(OrgId(4), at="latest") == 3
    at = int(ledger.node.header("latest").timestamp, 16)

    found = compute_expiries(ExpiryPolicy(0), read_journal(ledger), boundaries(ledger), at)
    ledger.do(contracts.credits.address, journal.encode_expire(PROGRAMME, found, bytes(32), op()))

    assert [(each.org_id, each.amount) for each in found] == [(3, 47), (3, 16), (5, 37)]
    assert contracts.credits.balance_of(PROGRAMME, OrgId(3), at="latest") == 0


def test_credit_token__of_a_programme__shows_the_controllers_their_credits(
    ledger: Ledger,
) -> None:
    tokens = ledger.contracts.credit_tokens
    address = tokens.token_of(PROGRAMME, at="latest")

    ledger.do(tokens.address, credit_tokens.encode_create(PROGRAMME))

    token = credit_tokens.CreditToken(ledger.node, address)
    for org_id, key in CLAIMANTS.items():
        assert token.balance_of(key.address, at="latest") == AWARDED[org_id]
    assert token.total_supply(at="latest") == sum(AWARDED.values())
    assert token.name(at="latest")
    assert token.symbol(at="latest")


def test_category_budget__of_an_issuer__is_read_and_taken_away(ledger: Ledger) -> None:
    found, issuer = ledger.contracts.programmes, ledger.issuer.address
    assert found.category_budget(PROGRAMME, issuer, CATEGORY, at="latest") is None
    for budget in (40, 0, None):
        ledger.do(
            found.address,
            programmes.encode_set_category_budget(
                PROGRAMME, issuer, CATEGORY, budget, ledger.operation()
            ),
        )
        assert found.category_budget(PROGRAMME, issuer, CATEGORY, at="latest") == budget
        by_category = budget is not None
        assert found.award_terms(PROGRAMME, issuer, at="latest").by_category is by_category
    assert ledger.contracts.memberships.memberships_of(MEMBER, at="latest") == 1
