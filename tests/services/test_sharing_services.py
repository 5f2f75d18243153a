"""Distributions, expiries and benefits: computed from the journal, posted, claimed, settled."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from ledger.chain.contracts.organisations import encode_register
from ledger.chain.keccak import keccak256
from ledger.chain.signers import LocalSigner
from ledger.domain.commands import Admission, Expiry, Registration
from ledger.domain.events import RedemptionStatus
from ledger.domain.expiry import ExpiryPolicy
from ledger.domain.ids import OrgId
from ledger.domain.shares import ShareRule
from ledger.domain.sharing import Distribution, Listing, Redemption
from ledger.errors import ContractRefused, InvalidFile, InvalidValue, NotFound
from ledger.mirror.queries.moments import latest_moment
from ledger.mirror.state import read_state
from ledger.outbox.records import State
from ledger.services import benefits, councils, expiries, memberships
from ledger.services import credits as crediting
from ledger.services.orders import Rehearsed
from ledger.services.sharing import distributing, files
from ledger.store.engine import reading
from tests.support.desks import Sender
from tests.support.ledger import CATEGORY, FIRST_TIER, PROGRAMME

EPOCH, EPOCH_SECONDS = 1, 10**7
FAR = 4_000_000_000
OWN = OrgId(3)
RULE = ShareRule(weights={CATEGORY: Fraction(2)})


@pytest.fixture
def controller(sender: Sender) -> LocalSigner:
    """The controller of organisation 3, a member with credits of 40."""
    ledger = sender.ledger
    signer = LocalSigner(keccak256(b"controller" + ledger.officer.address))
    ledger.anvil.rpc.call("anvil_setBalance", "0x" + signer.address.hex(), hex(10**22))
    registered = encode_register([Registration(signer.address, "company")], ledger.operation())
    ledger.do(ledger.contracts.organisations.address, registered)
    order = sender.order(ledger.operation())
    memberships.admit(order, PROGRAMME, [Admission(OWN, FIRST_TIER, FAR)])
    award = crediting.Award(OWN, 40, CATEGORY)
    crediting.award(sender.order(ledger.operation()), PROGRAMME, [award])
    sender.award(ledger.operation(), amount=10)
    return signer


def pass_time(sender: Sender, seconds: int) -> int:
    """Let so much time go by on the chain, and mirror it; the chain's time."""
    rpc = sender.ledger.anvil.rpc
    rpc.call("evm_increaseTime", seconds)
    rpc.call("anvil_mine", "0x1")
    sender.mirror()
    return int(sender.ledger.node.header("latest").timestamp, 16)


def compute(sender: Sender, pool: int = 100) -> distributing.Shares:
    with reading(sender.engine) as connection:
        moment = latest_moment(read_state(connection))
        found = distributing.read_epoch(connection, moment, PROGRAMME, EPOCH)
    return distributing.compute_shares(found, RULE, pool)


def test_distribution__computed_posted_and_claimed__gives_the_share_once(
    sender: Sender, controller: LocalSigner, tmp_path: Path
) -> None:
    ledger = sender.ledger
    now = pass_time(sender, EPOCH_SECONDS + 10)
    shares = compute(sender)
    path = tmp_path / "shares.json"
    path.write_text(json.dumps(files.describe_shares(shares)), "utf-8")
    read = files.read_shares(path)
    assert (read.tree.root, read.share_of(OWN).amount) == (shares.tree.root, 80)
    start = now + 100_000
    distribution = Distribution(
        PROGRAMME, EPOCH, 100, "slot", RULE.digest(), shares.tree.root, start, start + 1000
    )

    operation, number = distributing.post(sender.order(ledger.operation()), distribution)
    pass_time(sender, 100_010)
    claiming = ledger.operation()
    given = (number, read.share_of(OWN), read.proof_of(OWN))
    by_officer = sender.order(ledger.operation())
    with pytest.raises(ContractRefused, match="SharesNotController"):
        distributing.claim(by_officer, *given)
    first = distributing.claim(sender.order(claiming, by=controller), *given)
    again = distributing.claim(sender.order(claiming, by=controller), *given)

    assert operation.state is State.INCLUDED
    assert again == first
    state = ledger.contracts.shares.distribution(number, at="latest")
    assert (state.claimed, state.distribution) == (80, distribution)
    distributing.withdraw(sender.order(ledger.operation()), number)
    assert ledger.contracts.shares.distribution(number, at="latest").withdrawn


def test_distribution__recomputed_from_a_file_of_entries__has_the_same_root(
    sender: Sender, controller: LocalSigner, tmp_path: Path
) -> None:
    pass_time(sender, EPOCH_SECONDS + 10)
    shares, path = compute(sender), tmp_path / "entries.json"
    with reading(sender.engine) as connection:
        moment = latest_moment(read_state(connection))
        found = distributing.read_epoch(connection, moment, PROGRAMME, EPOCH)
    content = files.describe_entries(found)
    path.write_text(json.dumps(content), "utf-8")

    again = distributing.compute_shares(files.read_entries(path), RULE, 100)

    assert again.tree.root == shares.tree.root
    content["entries"][0]["amount"] += 40
    path.write_text(json.dumps(content), "utf-8")
    other = distributing.compute_shares(files.read_entries(path), RULE, 100)
    assert other.tree.root != shares.tree.root


def test_shares__whose_root_is_not_theirs_or_of_an_epoch_not_over__are_refused(
    sender: Sender, controller: LocalSigner, tmp_path: Path
) -> None:
    sender.mirror()
    with pytest.raises(InvalidValue, match="epoch"):
        compute(sender)
    pass_time(sender, EPOCH_SECONDS + 10)
    content = files.describe_shares(compute(sender))
    content["shares"][0]["amount"] += 1
    content["shares"][1]["amount"] -= 1
    path = tmp_path / "shares.json"
    path.write_text(json.dumps(content), "utf-8")

    with pytest.raises(InvalidFile, match="root of the file's own shares"):
        files.read_shares(path)
    with pytest.raises(InvalidFile, match=r"moonlake\.entries/1"):
        files.read_entries(path)
    with pytest.raises(NotFound):
        compute(sender).share_of(OrgId(77))


def test_expiry__computed_and_posted__takes_what_is_due_and_nothing_wrong(
    sender: Sender, controller: LocalSigner
) -> None:
    ledger, policy = sender.ledger, ExpiryPolicy(0)
    at = pass_time(sender, EPOCH_SECONDS + 10)

    def due(time: int | None = None) -> expiries.DueExpiries:
        with reading(sender.engine) as connection:
            moment = latest_moment(read_state(connection))
            return expiries.compute_due(connection, moment, PROGRAMME, policy, time)

    found = due()
    assert [(each.org_id, each.amount) for each in found.batch] == [(OWN, 40), (1, 10)]
    pass_time(sender, 10)  # or what is posted could be of the very second of the computation
    posting = ledger.operation()
    expire = (PROGRAMME, found.batch, found.commitment)
    with pytest.raises(ContractRefused, match="AuthorityRoleMissing"):
        crediting.expire(sender.order(ledger.operation(), by=ledger.issuer), *expire)
    first = crediting.expire(sender.order(posting), *expire)
    sender.mirror()

    assert crediting.expire(sender.order(posting), *expire) == first
    assert due().expiries == ()
    assert due(at).expiries == found.expiries
    assert ledger.contracts.credits.outstanding(PROGRAMME, at="latest") == 0
    with pytest.raises(InvalidValue, match="at"):
        due(at + 10**9)


def test_expiry__that_took_too_much__is_found(sender: Sender, controller: LocalSigner) -> None:
    award_id = crediting.EntryId(1)
    wrong = [Expiry(award_id, org_id=OWN, amount=5, leaves=0, category=CATEGORY)]

    crediting.expire(sender.order(sender.ledger.operation()), PROGRAMME, wrong, b"\x01" * 32)
    sender.mirror()

    with reading(sender.engine) as connection:
        moment = latest_moment(read_state(connection))
        found = expiries.find_wrong(connection, moment, PROGRAMME, ExpiryPolicy(0))
    assert [(each.award_id, each.amount, each.due) for each in found] == [(1, 5, 0)]


def test_benefits__listed_redeemed_and_settled__are_as_told(
    sender: Sender, controller: LocalSigner
) -> None:
    ledger = sender.ledger
    now = int(ledger.node.header("latest").timestamp, 16)
    chain = ledger.contracts.benefits

    def order(by: LocalSigner | None = None) -> crediting.Order:
        return sender.order(ledger.operation(), by=by)

    _, listing = benefits.list_benefit(order(), Listing(PROGRAMME, 5, 4, 3, now - 10, now + 10**6))
    with pytest.raises(ContractRefused, match="BenefitsOverLimit"):
        benefits.redeem(order(controller), Redemption(listing, OWN, 4))
    before = sender.nonce(by=controller)
    rehearsing = crediting.Order(sender.outbox, controller, ledger.operation(), rehearses=True)
    with pytest.raises(Rehearsed) as rehearsed:
        benefits.redeem(rehearsing, Redemption(listing, OWN, 1))
    assert rehearsed.value.operation.gas_limit
    assert sender.nonce(by=controller) == before
    _, one = benefits.redeem(order(controller), Redemption(listing, OWN, 2))
    _, other = benefits.redeem(order(controller), Redemption(listing, OWN, 1))
    benefits.fulfil(order(), PROGRAMME, [one])
    benefits.cancel(order(), other)
    benefits.close(order(), listing)

    assert chain.redemption(one, at="latest").status is RedemptionStatus.FULFILLED
    assert chain.redemption(other, at="latest").status is RedemptionStatus.CANCELLED
    assert chain.listing(listing, at="latest").closed
    assert ledger.contracts.credits.balance_of(PROGRAMME, OWN, at="latest") == 30
    for wrong in (
        Listing(PROGRAMME, 0, 4, 3, now, now + 1),
        Listing(PROGRAMME, 5, 4, 5, now, now + 1),
        Listing(PROGRAMME, 2**52, 4, 3, now, now + 1),
    ):
        with pytest.raises(InvalidValue):
            benefits.list_benefit(order(), wrong)


def test_proposal__whose_calls_a_node_tells_otherwise__is_refused(sender: Sender) -> None:
    chain = sender.ledger.contracts.council

    with pytest.raises(NotFound):
        councils.read_proposal(chain, councils.ProposalId(1), first_block=0)
    with pytest.raises(InvalidValue):
        councils.check_proposal(0)
