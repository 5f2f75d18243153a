"""Each command of the services does on the chain what it says, and refuses what cannot be meant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.chain.contracts.programmes import encode_set_category_budget
from ledger.chain.logs import JOURNAL_SEQUENCE_SLOT
from ledger.domain.commands import Admission, Award, Budget, Registration, Renewal, TierChange
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import EntryId, OrgId, ProgrammeId, token_id
from ledger.errors import ContractRefused, InvalidValue, NotFound
from ledger.mirror.queries.credentials import read_credential_numbers
from ledger.mirror.queries.moments import latest_moment
from ledger.mirror.state import read_state
from ledger.outbox.records import State
from ledger.services import credits as crediting
from ledger.services import memberships, organisations, programmes, roles
from ledger.services.checks import MAX_AMOUNT, MAX_APPROVALS
from ledger.services.memberships import Ground
from ledger.services.orders import Order
from ledger.store.engine import reading
from tests.support.desks import Sender
from tests.support.ledger import CATEGORY, FIRST_TIER, MEMBER, PROGRAMME, SECOND_TIER, STRANGER

FAR = 4_000_000_000


@pytest.fixture
def order(sender: Sender) -> Callable[[], Order]:
    """A new order each time, signed by the officer."""
    return lambda: sender.order(sender.ledger.operation())


def test_memberships__from_admission_to_revocation__change_as_told(
    sender: Sender, order: Callable[[], Order]
) -> None:
    chain = sender.ledger.contracts.memberships
    ground = Ground("fee.unpaid", bytes(range(32)))

    def status() -> MembershipStatus:
        return chain.membership(PROGRAMME, STRANGER, at="latest").status

    memberships.decline(order(), PROGRAMME, [STRANGER], ground)
    assert status() is MembershipStatus.NONE
    memberships.admit(order(), PROGRAMME, [Admission(STRANGER, FIRST_TIER, FAR)], reason="asked")
    memberships.renew(order(), PROGRAMME, [Renewal(STRANGER, FAR + 1)], ground)
    memberships.change_tier(order(), PROGRAMME, [TierChange(STRANGER, SECOND_TIER)], ground)
    found = chain.membership(PROGRAMME, STRANGER, at="latest")
    assert (found.status, found.tier, found.expires_at) == (
        MembershipStatus.ACTIVE,
        SECOND_TIER,
        FAR + 1,
    )
    memberships.suspend(order(), PROGRAMME, [STRANGER], ground)
    assert status() is MembershipStatus.SUSPENDED
    memberships.resume(order(), PROGRAMME, [STRANGER], ground)
    assert status() is MembershipStatus.ACTIVE
    operation = memberships.revoke(order(), PROGRAMME, [STRANGER], ground)
    assert status() is MembershipStatus.REVOKED
    assert operation.state is State.INCLUDED
    assert operation.request.summary == "Revoke 1 membership of programme 1."


def test_credential__its_number__is_that_of_the_chains_own_journal(
    sender: Sender, order: Callable[[], Order]
) -> None:
    ground = Ground("fee.unpaid", bytes(32))

    def number() -> int | None:
        """What the mirror makes of what was done, of a real journal's topics."""
        sender.mirror()
        with reading(sender.engine) as connection:
            moment = latest_moment(read_state(connection))
            return read_credential_numbers(connection, moment, PROGRAMME).get(STRANGER)

    def sequence() -> int:
        address = sender.ledger.deployment.contracts["Memberships"].address
        place = (address, JOURNAL_SEQUENCE_SLOT)
        return int.from_bytes(sender.ledger.node.storage([place], "latest")[0], "big")

    memberships.admit(order(), PROGRAMME, [Admission(STRANGER, FIRST_TIER, FAR)], reason="asked")
    admitted = 2 * sequence()
    assert number() == admitted
    memberships.suspend(order(), PROGRAMME, [STRANGER], ground)
    assert number() is None
    memberships.resume(order(), PROGRAMME, [STRANGER], ground)
    assert number() == admitted
    memberships.change_tier(order(), PROGRAMME, [TierChange(STRANGER, SECOND_TIER)], ground)
    assert number() == 2 * sequence() > admitted
    memberships.revoke(order(), PROGRAMME, [STRANGER], ground)
    assert number() is None


def test_metadata_base__changed_and_taken_away__is_where_tokens_lead(
    sender: Sender, order: Callable[[], Order]
) -> None:
    chain = sender.ledger.contracts.memberships
    token = token_id(PROGRAMME, MEMBER)

    memberships.change_metadata_base(order(), "https://ledger.example.org/v1/tokens/")

    assert chain.token_uri(token, at="latest") == f"https://ledger.example.org/v1/tokens/{token}"
    contract = chain.contract_uri(at="latest")
    assert contract == "https://ledger.example.org/v1/tokens/contract"
    memberships.change_metadata_base(order(), "")
    assert chain.token_uri(token, at="latest") == ""
    memberships.change_metadata_base(order(), "http://[::1]:8000/a%20b/~c/")
    longest = "https://" + "x" * (memberships.MAX_BASE - 9) + "/"
    memberships.change_metadata_base(order(), longest)
    assert chain.token_uri(token, at="latest") == f"{longest}{token}"
    by_issuer = sender.order(sender.ledger.operation(), by=sender.ledger.issuer)
    with pytest.raises(ContractRefused, match="AuthorityRoleMissing"):
        memberships.change_metadata_base(by_issuer, longest)


@pytest.mark.parametrize(
    "base",
    [
        "https://ledger.example.org/v1/tokens",
        "ledger.example.org/",
        "javascript:alert(1)/",
        "https://a b/",
        "https://明月湖/",
        "https:///\n/",
        "https://" + "x" * 248 + "/",
        "ipfs://example/",
        "https:///",
        "https://.../",
        'https://x"y/',
        "https://example.org/'a'/",
        "https://somebody@example.org/",
        "https://example.org/?of=/",
        "https://example.org/#/",
        "https://example.org/<a>/",
        "https://example.org//",
    ],
)
def test_metadata_base__that_leads_nowhere__is_refused(
    sender: Sender, order: Callable[[], Order], base: str
) -> None:
    with pytest.raises(InvalidValue, match="base"):
        memberships.change_metadata_base(order(), base)


def test_bounds__of_approvals_and_bases__are_the_contracts(sender: Sender) -> None:
    contracts = sender.ledger.contracts
    assert contracts.programmes.read("MAX_APPROVALS", at="latest") == MAX_APPROVALS
    assert contracts.memberships.read("MAX_BASE", at="latest") == memberships.MAX_BASE


def test_programmes__founded_and_furnished__are_as_told(
    sender: Sender, order: Callable[[], Order]
) -> None:
    chain = sender.ledger.contracts.programmes
    founding = programmes.Founding("community", bytes(range(32)), 500, 2)

    _, programme_id = programmes.create_programme(order(), founding)
    programmes.add_tiers(order(), programme_id, ["founder", "member"])
    programmes.set_tier_open(order(), programme_id, FIRST_TIER, is_open=False)
    programmes.set_tier_open(order(), programme_id, FIRST_TIER, is_open=True)
    programmes.open_categories(order(), programme_id, ["data.use", "data.store"])
    programmes.close_categories(order(), programme_id, ["data.use"])
    programmes.append_boundaries(order(), programme_id, [FAR - 10, FAR])
    programmes.set_budget(order(), programme_id, sender.ledger.issuer.address, Budget(1, 2))
    programmes.change_supply_cap(order(), programme_id, 600)
    programmes.change_approvals_needed(order(), programme_id, 3)
    programmes.change_profile(order(), programme_id, bytes(32))

    rules = chain.programme(programme_id, at="latest")
    assert programme_id == 2
    assert (rules.key, rules.supply_cap, rules.approvals_needed, rules.tier_count) == (
        "community",
        600,
        3,
        2,
    )
    assert chain.boundary_count(programme_id, at="latest") == 2
    assert chain.budget(programme_id, sender.ledger.issuer.address, at="latest") == Budget(1, 2)


def test_organisations__registered__get_consecutive_ids_in_the_order_given(
    sender: Sender, order: Callable[[], Order]
) -> None:
    registrations = [Registration(bytes([number]) * 20, "company") for number in (8, 7, 9)]

    _, ids = organisations.register(order(), registrations)
    organisations.change_profile(order(), ids[0], bytes(range(32)))

    chain = sender.ledger.contracts.organisations
    assert ids == (3, 4, 5)
    assert [chain.controller_of(each, at="latest")[0] for each in ids] == [8, 7, 9]
    assert chain.organisation(ids[0], at="latest").profile == bytes(range(32))


def test_awards__of_an_issuer_with_budgets_by_category__are_fewer_at_once(
    sender: Sender, order: Callable[[], Order]
) -> None:
    ledger = sender.ledger
    issuer, officer = ledger.issuer.address, ledger.officer.address
    programmes.change_supply_cap(order(), PROGRAMME, 10_000)
    programmes.set_budget(order(), PROGRAMME, issuer, Budget(1, 5_000))
    assert crediting.most_awards(ledger.contracts, PROGRAMME, issuer) == 450
    to = ledger.contracts.programmes.address
    for account in (issuer, officer):
        ledger.do(
            to, encode_set_category_budget(PROGRAMME, account, CATEGORY, 5_000, ledger.operation())
        )

    most = crediting.most_awards(ledger.contracts, PROGRAMME, issuer)

    assert most == 250
    # The budgets of an issuer do not bind a council officer.
    assert crediting.most_awards(ledger.contracts, PROGRAMME, officer) == 450
    awards = [Award(MEMBER, 1, CATEGORY)] * (2 * most + 1)
    batches = crediting.split_awards(awards, most)
    assert [len(batch) for batch in batches] == [167, 167, 167]
    with pytest.raises(ContractRefused) as refused:
        crediting.award(
            sender.order(ledger.operation(), by=ledger.issuer), PROGRAMME, awards[: most + 1]
        )
    assert refused.value.values["name"] == "CreditsBatchSize"
    for batch in (awards[:most], batches[0]):
        crediting.award(sender.order(ledger.operation(), by=ledger.issuer), PROGRAMME, batch)
    assert ledger.contracts.credits.balance_of(PROGRAMME, MEMBER, at="latest") == most + 167


@pytest.mark.parametrize("count", [1, 249, 250, 251, 450, 451, 1000, 1001])
def test_awards__split__are_all_there_in_order_and_in_as_few_batches_as_can_be(count: int) -> None:
    awards = [Award(OrgId(number), 1, CATEGORY) for number in range(1, count + 1)]
    for most in (1, 7, 250, 450):
        batches = crediting.split_awards(awards, most)
        assert [award for batch in batches for award in batch] == awards
        sizes = [len(batch) for batch in batches]
        assert len(sizes) == -(-count // most)
        assert max(sizes) <= most
        assert max(sizes) - min(sizes) <= 1


def test_awards__split_into_batches_of_none__are_refused() -> None:
    with pytest.raises(InvalidValue, match="most"):
        crediting.split_awards([Award(MEMBER, 1, CATEGORY)], 0)
    with pytest.raises(InvalidValue, match="awards"):
        crediting.split_awards([], 5)


def test_roles__appointed_and_dismissed__are_held_and_not(
    sender: Sender, order: Callable[[], Order]
) -> None:
    chain = sender.ledger.contracts.authority
    office = roles.Office("guardian", ProgrammeId(0), b"\x05" * 20)

    roles.appoint(order(), office)
    assert chain.is_officer("guardian", PROGRAMME, office.account, at="latest")
    roles.dismiss(order(), office)
    assert not chain.is_officer("guardian", PROGRAMME, office.account, at="latest")


def test_ledger__paused__refuses_awards_until_it_goes_on(
    sender: Sender, order: Callable[[], Order]
) -> None:
    roles.pause_ledger(order())
    with pytest.raises(ContractRefused) as refused:
        sender.award(sender.ledger.operation())
    roles.resume_ledger(order())

    assert refused.value.values["name"] == "AuthorityPaused"
    assert sender.award(sender.ledger.operation()).state is State.INCLUDED


def test_awards__refused__carry_the_contracts_error_by_name_and_values(sender: Sender) -> None:
    ledger = sender.ledger
    stranger = ledger.officer.derive(b"stranger")
    ledger.anvil.rpc.call("anvil_setBalance", "0x" + stranger.address.hex(), hex(10**20))
    refusals = {}
    for name, given in {
        "non-issuer": {"by": stranger},
        "over-limit": {"by": ledger.issuer, "amount": 51},
        "unknown-category": {"category": "data.unheard"},
    }.items():
        with pytest.raises(ContractRefused) as refused:
            sender.award(ledger.operation(), **given)
        refusals[name] = refused.value.values
    sender.award(ledger.operation(), amount=50, by=ledger.issuer)
    with pytest.raises(ContractRefused) as refused:
        sender.award(ledger.operation(), amount=31, by=ledger.issuer)
    refusals["over-budget"] = refused.value.values

    assert {name: values["name"] for name, values in refusals.items()} == {
        "non-issuer": "AuthorityRoleMissing",
        "over-limit": "CreditsAwardOverLimit",
        "unknown-category": "ProgrammesCategoryUnknown",
        "over-budget": "CreditsAwardOverBudget",
    }
    assert refusals["over-budget"]["arguments"]["asked"] == 31
    assert refusals["over-budget"]["arguments"]["left"] == 30
    assert refusals["unknown-category"]["arguments"] == {
        "programmeId": 1,
        "category": "data.unheard",
    }


def test_award__to_a_lapsed_membership__is_refused_with_when_it_lapsed(sender: Sender) -> None:
    ledger = sender.ledger
    expired = ledger.contracts.memberships.membership(PROGRAMME, MEMBER, at="latest").expires_at
    ledger.anvil.rpc.call("evm_setNextBlockTimestamp", expired)
    ledger.anvil.mine()

    with pytest.raises(ContractRefused) as refused:
        sender.award(ledger.operation())

    assert refused.value.values["name"] == "MembershipsLapsed"
    assert refused.value.values["arguments"]["expiredAt"] == expired


@pytest.mark.parametrize(
    ("entry", "hashes"),
    [(1, 0), (2, 1), (3, 0), (100, 28), (127, 1), (128, 0), (129, 6), (135, 0), (140, 0)],
)
def test_reverse__any_entry_of_long_and_short_commands__is_proved_and_taken_back(
    sender: Sender, entry: int, hashes: int
) -> None:
    ledger = sender.ledger
    for number in (1, 2, 132, 5):  # entries 1, 2 to 3, 4 to 135, 136 to 140
        awards = [Award(MEMBER, 1, CATEGORY)] * number
        crediting.award(sender.order(ledger.operation()), PROGRAMME, awards)
    sender.mirror()

    with reading(sender.engine) as connection:
        reversals = crediting.prove_awards(connection, [crediting.Correction(EntryId(entry))])
    operation = crediting.reverse(sender.order(ledger.operation()), reversals)

    assert len(reversals[0].hashes_after) == hashes  # as short as the kept heads allow
    assert ledger.contracts.credits.reversed_by(PROGRAMME, EntryId(entry), at="latest") == 141
    assert operation.first_sequence == 141
    assert ledger.contracts.credits.balance_of(PROGRAMME, MEMBER, at="latest") == 139


def test_reverse__by_an_issuer_beyond_its_budget__is_refused_before_anything_is_signed(
    sender: Sender,
) -> None:
    ledger, contracts = sender.ledger, sender.ledger.contracts
    issuer = ledger.issuer
    first = sender.award(ledger.operation(), amount=30, by=issuer).first_sequence or 0
    sender.award(ledger.operation(), amount=40, by=issuer)
    sender.mirror()
    programmes.set_budget(
        sender.order(ledger.operation()), PROGRAMME, issuer.address, Budget(50, 50)
    )
    with reading(sender.engine) as connection:
        one, two = (
            crediting.prove_awards(connection, [crediting.Correction(EntryId(entry))])
            for entry in (first, first + 1)
        )
    operation_id = ledger.operation()
    nonce = sender.nonce(by=issuer)

    with pytest.raises(ContractRefused, match="70 credits are more than the 50 that") as refused:
        crediting.reverse(sender.order(operation_id, by=issuer), [*one, *two])

    assert refused.value.values["name"] == "CreditsReversalOverBudget"
    assert (sender.find(operation_id), sender.nonce(by=issuer)) == (None, nonce)
    crediting.reverse(sender.order(operation_id, by=issuer), one)
    terms = contracts.credits.issuer_terms(PROGRAMME, issuer.address, CATEGORY, at="latest")
    assert terms.left_to_reverse == 20
    taken = contracts.credits.reversed(PROGRAMME, terms.epoch, issuer.address, at="latest")
    assert taken == 30
    with pytest.raises(ContractRefused, match="the 20 that"):
        crediting.reverse(sender.order(ledger.operation(), by=issuer), two)
    # The council has no budget.
    crediting.reverse(sender.order(ledger.operation()), two)


def test_reverse__entry_that_is_not_mirrored__is_not_found(sender: Sender) -> None:
    sender.mirror()

    with reading(sender.engine) as connection, pytest.raises(NotFound):
        crediting.prove_awards(connection, [crediting.Correction(EntryId(1))])


@pytest.mark.parametrize(
    ("field", "command"),
    [
        ("awards", lambda order: crediting.award(order, PROGRAMME, [])),
        ("programme", lambda order: crediting.award(order, ProgrammeId(0), [_award()])),
        ("organisation", lambda order: crediting.award(order, PROGRAMME, [_award(org_id=0)])),
        ("amount", lambda order: crediting.award(order, PROGRAMME, [_award(amount=0)])),
        (
            "amount",
            lambda order: crediting.award(order, PROGRAMME, [_award(amount=MAX_AMOUNT + 1)]),
        ),
        ("category", lambda order: crediting.award(order, PROGRAMME, [_award(category="A b")])),
        (
            "tier",
            lambda order: memberships.admit(
                order, PROGRAMME, [Admission(MEMBER, FIRST_TIER * 0, 1)]
            ),
        ),
        (
            "expiry",
            lambda order: memberships.renew(order, PROGRAMME, [Renewal(MEMBER, 10**12)]),
        ),
        (
            "organisation",
            lambda order: memberships.suspend(order, PROGRAMME, [MEMBER, MEMBER]),
        ),
        (
            "reason",
            lambda order: memberships.suspend(order, PROGRAMME, [MEMBER], Ground("Fee!")),
        ),
        (
            "controller",
            lambda order: organisations.register(
                order, [Registration(b"\1" * 20, "company"), Registration(b"\1" * 20, "company")]
            ),
        ),
        ("role", lambda order: roles.appoint(order, roles.Office("king", PROGRAMME, b"\1" * 20))),
        ("boundaries", lambda order: programmes.append_boundaries(order, PROGRAMME, [5, 4])),
        (
            "approvals needed",
            lambda order: programmes.create_programme(
                order, programmes.Founding("x", approvals_needed=0)
            ),
        ),
    ],
)
def test_command__with_a_value_that_cannot_be_meant__is_refused_before_anything_is_asked(
    field: str, command: Callable[[Order], object]
) -> None:
    # There is no outbox: a value that came through would be an AttributeError.
    order = Order(None, None, bytes(32))  # type: ignore[arg-type]

    with pytest.raises(InvalidValue) as refused:
        command(order)

    assert refused.value.values["field"] == field


def _award(**given: object) -> Award:
    values: dict[str, object] = {"org_id": MEMBER, "amount": 1, "category": CATEGORY} | given
    return Award(OrgId(values["org_id"]), values["amount"], values["category"])  # type: ignore[arg-type]
