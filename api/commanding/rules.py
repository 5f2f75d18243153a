"""Programmes and their rules: tiers, categories, epochs, caps, budgets."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request

from api.answers import Reading
from api.asking import Asking
from api.commanding.offices import COUNCIL, TREASURERS
from api.formats import parse_time
from api.kinds import Kind
from api.office import writing_office
from api.routes.named import programme_named
from api.schemas.commands import BudgetCommand
from api.schemas.rules import (
    ApprovalsCommand,
    BoundariesCommand,
    CategoryBudgetCommand,
    CategoryClosingsCommand,
    CategoryOpeningsCommand,
    FoundingCommand,
    ProgrammeProfileCommand,
    SupplyCapCommand,
    TierCommand,
    TiersCommand,
)
from ledger.chain.addresses import parse_address
from ledger.domain.access import Scope
from ledger.domain.commands import Budget
from ledger.domain.ids import TierId
from ledger.mirror.queries.programmes import read_programme
from ledger.office.labels import Label, Labelled, keep_label
from ledger.office.profiles import Profile, Subject, keep_profile
from ledger.office.queries import read_profile_texts
from ledger.outbox.records import Operation
from ledger.services import programmes
from ledger.services.orders import Order

ROLES = ("role_zh", "role_en")


def _found(request: Request, _reading: Reading, body: FoundingCommand) -> Asking:
    details = tuple((name, getattr(body, name)) for name in ROLES if getattr(body, name))
    profile = Profile(
        Subject.PROGRAMME, body.key, body.name_zh, body.name_en, note=body.note, details=details
    )
    profile.document()

    def place(order: Order) -> Operation:
        founding = programmes.Founding(
            body.key, _keep(request, profile), body.supply_cap, body.approvals_needed
        )
        return programmes.ask_for_programme(order, founding)

    return Asking("create-programme", COUNCIL, place)


def _change_profile(request: Request, reading: Reading, body: ProgrammeProfileCommand) -> Asking:
    programme_id = programme_named(reading, body.programme).programme_id
    found = read_programme(reading.connection, reading.moment, str(programme_id))
    texts = read_profile_texts(reading.connection, found.profile_commitment)

    def text(name: str) -> str:
        given: str | None = getattr(body, name)
        return texts.get(name, "") if given is None else given

    roles = tuple((name, text(name)) for name in ROLES if text(name))
    names = text("name_zh"), text("name_en"), texts.get("segment", ""), text("note")
    profile = Profile(Subject.PROGRAMME, found.key, *names, details=roles)
    profile.document()
    return Asking(
        "programme-profile",
        COUNCIL,
        lambda order: programmes.change_profile(order, programme_id, _keep(request, profile)),
        programme_id,
    )


def _change_cap(_request: Request, reading: Reading, body: SupplyCapCommand) -> Asking:
    programme_id = programme_named(reading, body.programme).programme_id
    return Asking(
        "supply-cap",
        COUNCIL,
        lambda order: programmes.change_supply_cap(order, programme_id, body.supply_cap),
        programme_id,
    )


def _change_approvals(_request: Request, reading: Reading, body: ApprovalsCommand) -> Asking:
    programme_id = programme_named(reading, body.programme).programme_id
    needed = body.approvals_needed
    return Asking(
        "approvals-needed",
        COUNCIL,
        lambda order: programmes.change_approvals_needed(order, programme_id, needed),
        programme_id,
    )


def _add_tiers(request: Request, reading: Reading, body: TiersCommand) -> Asking:
    named = programme_named(reading, body.programme)
    labels = [
        Label(named.key, Labelled.TIER, each.key, each.name_zh, each.name_en) for each in body.tiers
    ]

    def place(order: Order) -> Operation:
        done = programmes.add_tiers(order, named.programme_id, [each.key for each in body.tiers])
        _keep_labels(request, labels)
        return done

    return Asking("add-tiers", COUNCIL, place, named.programme_id)


def _set_tier(
    name: str, operation_id: str, description: str, *, is_open: bool
) -> Kind[TierCommand]:
    def prepare(_request: Request, reading: Reading, body: TierCommand) -> Asking:
        programme_id = programme_named(reading, body.programme).programme_id
        tier = TierId(body.tier)
        return Asking(
            "open-tier" if is_open else "close-tier",
            COUNCIL,
            lambda order: programmes.set_tier_open(order, programme_id, tier, is_open=is_open),
            programme_id,
        )

    return Kind(name, operation_id, TierCommand, Scope.RULES, description, prepare)


def _open_categories(request: Request, reading: Reading, body: CategoryOpeningsCommand) -> Asking:
    named = programme_named(reading, body.programme)
    keys = [each.key for each in body.categories]
    labels = [
        Label(named.key, Labelled.CATEGORY, each.key, each.name_zh, each.name_en, each.side)
        for each in body.categories
    ]

    def place(order: Order) -> Operation:
        done = programmes.open_categories(order, named.programme_id, keys)
        _keep_labels(request, labels)
        return done

    return Asking("open-categories", COUNCIL, place, named.programme_id)


def _close_categories(_request: Request, reading: Reading, body: CategoryClosingsCommand) -> Asking:
    programme_id = programme_named(reading, body.programme).programme_id
    return Asking(
        "close-categories",
        COUNCIL,
        lambda order: programmes.close_categories(order, programme_id, body.categories),
        programme_id,
    )


def _append_boundaries(_request: Request, reading: Reading, body: BoundariesCommand) -> Asking:
    times = [parse_time("boundaries", each) for each in body.boundaries]
    programme_id = programme_named(reading, body.programme).programme_id
    return Asking(
        "append-boundaries",
        COUNCIL,
        lambda order: programmes.append_boundaries(order, programme_id, times),
        programme_id,
    )


def _set_budget(_request: Request, reading: Reading, body: BudgetCommand) -> Asking:
    budget = Budget(body.per_award, body.per_epoch)
    issuer = parse_address(body.issuer)
    programme_id = programme_named(reading, body.programme).programme_id
    return Asking(
        "set-budget",
        TREASURERS,
        lambda order: programmes.set_budget(order, programme_id, issuer, budget),
        programme_id,
    )


def _set_category_budget(
    _request: Request, reading: Reading, body: CategoryBudgetCommand
) -> Asking:
    issuer = parse_address(body.issuer)
    programme_id = programme_named(reading, body.programme).programme_id
    return Asking(
        "set-category-budget",
        TREASURERS,
        lambda order: programmes.set_category_budget(
            order, programme_id, issuer, body.category, body.per_epoch
        ),
        programme_id,
    )


def _keep(request: Request, profile: Profile) -> bytes:
    """The commitment to a profile, which is kept before anything commits to it."""
    with writing_office(request) as connection:
        return keep_profile(connection, profile)


def _keep_labels(request: Request, labels: Sequence[Label]) -> None:
    """Keep what people call new keys; those that nobody named keep the names that they have."""
    named = [each for each in labels if each.name_zh or each.name_en]
    if not named:
        return
    with writing_office(request) as connection:
        for label in named:
            keep_label(connection, label)


KINDS = (
    Kind(
        "programmes",
        "createProgrammes",
        FoundingCommand,
        Scope.RULES,
        "Found a programme. For the council of the whole alliance.",
        _found,
    ),
    Kind(
        "programme-profiles",
        "createProgrammeProfiles",
        ProgrammeProfileCommand,
        Scope.RULES,
        "Change a programme's names and words. For its council.",
        _change_profile,
    ),
    Kind(
        "supply-caps",
        "createSupplyCaps",
        SupplyCapCommand,
        Scope.RULES,
        "Change the most credits that may be outstanding at once. For the programme's council.",
        _change_cap,
    ),
    Kind(
        "approval-rules",
        "createApprovalRules",
        ApprovalsCommand,
        Scope.RULES,
        "Change how many approvals proposals need. For the programme's council.",
        _change_approvals,
    ),
    Kind(
        "tiers",
        "createTiers",
        TiersCommand,
        Scope.RULES,
        "Add tiers, numbered on from the last one. For the programme's council.",
        _add_tiers,
    ),
    _set_tier(
        "tier-openings",
        "createTierOpenings",
        "Open a tier to admissions again. For the programme's council.",
        is_open=True,
    ),
    _set_tier(
        "tier-closings",
        "createTierClosings",
        "Close a tier to new admissions. For the programme's council.",
        is_open=False,
    ),
    Kind(
        "category-openings",
        "createCategoryOpenings",
        CategoryOpeningsCommand,
        Scope.RULES,
        "Open categories to awards. For the programme's council.",
        _open_categories,
    ),
    Kind(
        "category-closings",
        "createCategoryClosings",
        CategoryClosingsCommand,
        Scope.RULES,
        "Close categories to awards. For the programme's council.",
        _close_categories,
    ),
    Kind(
        "epoch-boundaries",
        "createEpochBoundaries",
        BoundariesCommand,
        Scope.RULES,
        "Append boundaries between epochs; they are never moved. For the programme's council.",
        _append_boundaries,
    ),
    Kind(
        "budgets",
        "createBudgets",
        BudgetCommand,
        Scope.RULES,
        "Give an issuer a budget, or take it away. For treasurers and the council.",
        _set_budget,
    ),
    Kind(
        "category-budgets",
        "createCategoryBudgets",
        CategoryBudgetCommand,
        Scope.RULES,
        "Limit what an issuer may award in one category. For treasurers and the council.",
        _set_category_budget,
    ),
)
