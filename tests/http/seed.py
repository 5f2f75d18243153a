"""A small ledger in SQL, as a mirror would have written it: the real roster and a made-up season.

Rows are written directly, so that tests of reading depend on no chain. What it holds is fixed: the
same 45 organisations, 30 memberships, and entries every time.
"""

from __future__ import annotations

import io
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, insert

from ledger.domain.events import EntryKind, MembershipStatus
from ledger.domain.ids import OrgId
from ledger.office.applications import file_application
from ledger.office.evidence import Description, EvidenceStore
from ledger.office.labels import Label, Labelled, keep_label
from ledger.office.profiles import Profile, Subject, keep_profile
from ledger.store import mirror_tables as tables
from ledger.store.engine import writing
from ledger.store.schema import upgrade_schema
from tests.http.facts import (
    BEGINNING,
    BLOCKS,
    CATEGORY_OF_SEGMENT,
    CHAIN_ID,
    DAY,
    DECLINED,
    LAPSED,
    LAST_BLOCK,
    NO_BYTES,
    PROGRAMME_KEYS,
    STRANGER,
    SUSPENDED,
    TERM_END,
    Seeded,
    account_of,
    hash_of,
    read_csv,
    time_of,
)
from tests.http.seed_dealings import write_benefits, write_distribution, write_proposals

_SUMS = ("balance", "entry_count", "last_entry_id", "contributed", "contribution_count")


class Seeder:
    """Writes the ledger, in the order in which a chain would have."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self._engine = engine
        self._home = home
        self._store = EvidenceStore(home / "evidence")
        self._rows: dict[Table, list[Mapping[str, Any]]] = defaultdict(list)
        self._logs: dict[int, int] = defaultdict(int)
        self._balances: dict[tuple[int, int], dict[str, int]] = {}
        self.seeded = Seeded()

    def write(self, *, looked_at: float | None = None) -> Seeded:
        """Create the tables and fill them."""
        upgrade_schema(self._engine)
        self._blocks()
        with writing(self._engine) as connection:
            self._programmes(connection)
            self._organisations(connection)
            self._memberships(connection)
            self._season(connection)
            self._officers()
            write_benefits(self, connection)
            write_proposals(self)
            self._state(looked_at if looked_at is not None else time.time())
            self._insert(connection)
            write_distribution(self, connection, self._home)
            self._insert(connection)
        return self.seeded

    def add(self, table: Table, block: int, **values: Any) -> None:
        """A row, with the log and the transaction that it came from."""
        self._add(table, block, **values)

    def _insert(self, connection: Any) -> None:
        for table, rows in self._rows.items():
            connection.execute(insert(table), rows)
        self._rows.clear()

    def _add(self, table: Table, block: int, *, keyed: bool = True, **values: Any) -> None:
        """A row, with the log and the transaction that it came from."""
        log_index = self._logs[block]
        self._logs[block] += 1
        transaction_index = log_index // 20
        if log_index % 20 == 0:
            self._rows[tables.transactions].append(
                {
                    "block_number": block,
                    "transaction_index": transaction_index,
                    "hash": hash_of("transaction", block, transaction_index),
                }
            )
        self._rows[tables.logs].append(
            {
                "block_number": block,
                "log_index": log_index,
                "transaction_index": transaction_index,
                "contract_id": 1,
                "topics": NO_BYTES + (block * 1000 + log_index).to_bytes(32, "big"),
                "data": b"",
            }
        )
        names = {column.name for column in table.columns}
        given = {
            "actor": account_of("council"),
            "operation_id": hash_of(block, log_index),
            "evidence": NO_BYTES,
            "sequence": len(self._rows[table]) + 1,
        }
        common = {name: value for name, value in given.items() if name in names}
        self._rows[table].append(
            {"block_number": block, "log_index": log_index, **common, **values}
        )

    def _blocks(self) -> None:
        self._rows[tables.blocks] += [
            {"number": number, "hash": hash_of("block", number), "timestamp": time_of(number)}
            for number in range(BLOCKS)
        ]

    def _programmes(self, connection: Any) -> None:
        names = {row["key"]: row for row in read_csv("programmes.csv")}
        boundaries = [BEGINNING + quarter * 91 * DAY for quarter in range(9)]
        for programme_id, key in enumerate(PROGRAMME_KEYS, start=1):
            row = names[key]
            details = (("role_en", row["role_en"]), ("role_zh", row["role_zh"]))
            profile = keep_profile(
                connection,
                Profile(Subject.PROGRAMME, key, row["name_zh"], row["name_en"], details=details),
            )
            common = {"programme_id": programme_id}
            self._add(
                tables.programme_versions,
                1,
                **common,
                key=key,
                profile=profile,
                supply_cap=10_000_000,
                approvals_needed=2,
            )
            for tier, name in enumerate(("member", "founder"), start=1):
                self._add(tables.tier_versions, 1, **common, tier=tier, key=name, open=1)
            for number, boundary in enumerate(boundaries, start=1):
                self._add(tables.epoch_boundaries, 1, **common, number=number, boundary=boundary)
            tier_names = {"member": ("会员", "Member"), "founder": ("发起单位", "Founder")}
            for name, (zh, en) in tier_names.items():
                keep_label(connection, Label(key, Labelled.TIER, name, zh, en))
        for row in read_csv("categories.csv"):
            self._add(
                tables.category_versions,
                1,
                programme_id=PROGRAMME_KEYS.index(row["programme"]) + 1,
                category=row["key"],
                open=1,
            )
            keep_label(
                connection,
                Label(
                    row["programme"],
                    Labelled.CATEGORY,
                    row["key"],
                    row["name_zh"],
                    row["name_en"],
                    row["side"],
                ),
            )

    def _organisations(self, connection: Any) -> None:
        for org_id, row in enumerate(read_csv("organisations.csv"), start=1):
            self.seeded.org_ids[row["key"]] = org_id
            profile = keep_profile(
                connection,
                Profile(
                    Subject.ORGANISATION,
                    row["key"],
                    row["name_zh"],
                    row["name_en"],
                    row["segment"],
                    row["note"],
                ),
            )
            self._organisation(org_id, row["kind"], profile)
            for programme in filter(None, row["applies_to"].split("|")):
                file_application(
                    connection, OrgId(org_id), programme, filed_at=BEGINNING + 10 * DAY
                )
        self._organisation(STRANGER, "company", hash_of("unknown profile"))

    def _organisation(self, org_id: int, kind: str, profile: bytes) -> None:
        self._add(
            tables.organisation_versions,
            2,
            org_id=org_id,
            change="registered",
            kind=kind,
            controller=account_of(org_id),
            profile=profile,
            registered_at=time_of(2),
            retired=0,
            successor_id=0,
        )

    def _memberships(self, connection: Any) -> None:
        for row in read_csv("organisations.csv"):
            for programme in filter(None, row["member_of"].split("|")):
                org_id = self.seeded.org_ids[row["key"]]
                self.seeded.members[programme].add(org_id)
                expires = TERM_END if row["key"] != LAPSED else BEGINNING + 180 * DAY
                self._membership(3, programme, org_id, "admitted", expires=expires)
        notice = self._keep(connection, "会员资格暂停通知", "Notice of a suspension", made_up=True)
        self._membership(
            70,
            "community",
            self.seeded.org_ids[SUSPENDED],
            "suspended",
            status=MembershipStatus.SUSPENDED,
            reason="report.overdue",
            evidence=notice,
        )
        self._membership(3, "community", STRANGER, "admitted")
        self._membership(
            60,
            "community",
            STRANGER,
            "revoked",
            status=MembershipStatus.REVOKED,
            reason="left",
        )
        self._add(
            tables.application_declines,
            50,
            programme_id=1,
            org_id=self.seeded.org_ids[DECLINED],
            reason="incomplete",
            evidence=NO_BYTES,
        )

    def _membership(
        self,
        block: int,
        programme: str,
        org_id: int,
        change: str,
        *,
        status: MembershipStatus = MembershipStatus.ACTIVE,
        expires: int = TERM_END,
        reason: str = "",
        evidence: bytes = NO_BYTES,
    ) -> None:
        self._add(
            tables.membership_versions,
            block,
            programme_id=PROGRAMME_KEYS.index(programme) + 1,
            org_id=org_id,
            change=change,
            status=int(status),
            tier=2 if org_id % 5 == 0 else 1,
            admitted_at=time_of(3),
            expires_at=expires,
            reason=reason,
            evidence=evidence,
        )

    def _season(self, connection: Any) -> None:
        segments = {
            self.seeded.org_ids[row["key"]]: row["segment"] for row in read_csv("organisations.csv")
        }
        wrong: dict[str, Any] = {}
        for block in range(10, BLOCKS - 2):
            for programme in PROGRAMME_KEYS:
                members = sorted(self.seeded.members[programme])
                draw = int.from_bytes(hash_of("who", programme, block)[:4], "big")
                if draw % (2 if programme == "community" else 4):
                    continue
                org_id = members[draw % len(members)]
                if programme == "alliance":
                    category = ("event.keynote", "standard.authoring")[block % 2]
                else:
                    category = CATEGORY_OF_SEGMENT[segments[org_id]][block % 2]
                evidence = self._evidence(connection, block, programme)
                posted = self._entry(
                    block,
                    programme,
                    org_id,
                    EntryKind.AWARD,
                    category,
                    40 + 10 * (draw % 60),
                    evidence,
                )
                if block in {40, 80} and programme == "community":
                    wrong = posted
            if block in {44, 84} and wrong:
                self._entry(
                    block,
                    "community",
                    wrong["org_id"],
                    EntryKind.REVERSAL,
                    wrong["category"],
                    -wrong["amount"],
                    wrong["evidence"],
                    refers_to=wrong["entry_id"],
                )
                wrong = {}

    def _evidence(self, connection: Any, block: int, programme: str) -> bytes:
        """Mostly made-up documents; a real one, one that is not kept here, and none at all."""
        if block == 20:
            return NO_BYTES
        if block == 22:
            return hash_of("evidence that the office does not have")
        if block == 24:
            return self._keep(
                connection,
                "验收报告（原件）",
                "Acceptance report (original)",
                made_up=False,
                media_type="application/pdf",
                content=b"%PDF-1.4\n%%EOF\n",
            )
        return self._keep(
            connection,
            f"交付确认单 {programme} 第{block}号",
            f"Delivery note {programme} no. {block}",
            made_up=True,
        )

    def _keep(
        self,
        connection: Any,
        zh: str,
        en: str,
        *,
        made_up: bool,
        media_type: str = "text/markdown; charset=utf-8",
        content: bytes | None = None,
    ) -> bytes:
        text = content or f"# {zh} · {en}\n\n> **演示资料，内容虚构。** Made up.\n".encode()
        kept = self._store.keep(
            connection,
            io.BytesIO(text),
            Description(zh, en, media_type, made_up=made_up),
            added_at=BEGINNING,
            salt=hash_of("salt", zh, en),
        )
        self.seeded.evidence.append(kept.commitment)
        return kept.commitment

    def _entry(
        self,
        block: int,
        programme: str,
        org_id: int,
        kind: EntryKind,
        category: str,
        amount: int,
        evidence: bytes,
        refers_to: int = 0,
    ) -> dict[str, Any]:
        programme_id = PROGRAMME_KEYS.index(programme) + 1
        entry_id = len(self.seeded.entries) + 1
        balance = self._balances.setdefault((programme_id, org_id), dict.fromkeys(_SUMS, 0))
        balance["balance"] += amount
        balance["entry_count"] += 1
        balance["last_entry_id"] = entry_id
        if kind in {EntryKind.AWARD, EntryKind.REVERSAL}:
            balance["contributed"] += amount
            balance["contribution_count"] += 1
        entry = {
            "entry_id": entry_id,
            "programme_id": programme_id,
            "org_id": org_id,
            "kind": int(kind),
            "category": category,
            "amount": amount,
            "balance_after": balance["balance"],
            "evidence": evidence,
            "refers_to": refers_to,
            "actor": account_of("issuer"),
        }
        self._add(tables.entries, block, **entry)
        self.seeded.entries.append({**entry, "block_number": block})
        return entry

    def _officers(self) -> None:
        for name, programme_id in (
            ("registrar", 0),
            ("council", 0),
            ("issuer", 2),
            ("treasurer", 3),
            ("guardian", 0),
        ):
            self._add(
                tables.role_changes,
                1,
                role=name,
                programme_id=programme_id,
                account=account_of(name),
                held=1,
            )
        self._add(
            tables.role_changes,
            30,
            role="issuer",
            programme_id=3,
            account=account_of("issuer"),
            held=1,
        )
        self._add(
            tables.role_changes,
            90,
            role="issuer",
            programme_id=3,
            account=account_of("issuer"),
            held=0,
        )
        self._add(
            tables.budget_versions,
            1,
            programme_id=2,
            issuer=account_of("issuer"),
            per_award=5_000,
            per_epoch=100_000,
        )

    def _state(self, looked_at: float) -> None:
        for number, name in enumerate(
            (
                "Authority",
                "Programmes",
                "Organisations",
                "Memberships",
                "Credits",
                "Benefits",
                "Shares",
                "Council",
            ),
            start=1,
        ):
            self._rows[tables.contracts].append(
                {
                    "contract_id": number,
                    "name": name,
                    "address": account_of(name),
                    "code_hash": hash_of("code", name),
                    "first_block": 0,
                }
            )
        self._rows[tables.balances] += [
            {"programme_id": programme_id, "org_id": org_id, **balance}
            for (programme_id, org_id), balance in self._balances.items()
        ]
        self._rows[tables.mirror_state].append(
            {
                "id": 1,
                "schema_version": tables.SCHEMA_VERSION,
                "chain_id": CHAIN_ID,
                "genesis_hash": hash_of("block", 0),
                "deployment": hash_of("deployment"),
                "first_block": 0,
                "cursor_number": LAST_BLOCK,
                "cursor_hash": hash_of("block", LAST_BLOCK),
                "cursor_timestamp": time_of(LAST_BLOCK),
                "final_number": LAST_BLOCK - 64,
                "generation": 1,
                "head_number": LAST_BLOCK,
                "looked_at": int(looked_at * 1000),
            }
        )


def seed(engine: Engine, home: Path, *, looked_at: float | None = None) -> Seeded:
    """Fill an empty database; evidence files go under `home`."""
    return Seeder(engine, home).write(looked_at=looked_at)
