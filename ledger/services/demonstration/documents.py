"""The documents that the season's entries rest on: real files that say they are made up.

A document's salt is derived from its text. It hides nothing, and lets a ledger whose database was
lost find its evidence again; documents of real contributions get random salts.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from ledger.office.evidence import Description, Evidence, EvidenceStore
from ledger.services.demonstration.season import (
    Awards,
    Contribution,
    Mistake,
    Renewals,
    Resumption,
    Suspension,
)
from ledger.services.roster.reading import OrganisationRow, ProgrammeRow

MEDIA_TYPE = "text/markdown; charset=utf-8"

_HEADING = """# {title_zh} · {title_en}

> **演示资料，内容虚构。** 本文件为演示而编写，所述事项并未发生。
>
> **A made-up document of a demonstration.** Nothing that it describes happened.

"""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the season, as text."""

    title_zh: str
    title_en: str
    lines: tuple[tuple[str, str], ...]
    text_zh: str
    text_en: str

    def content(self) -> bytes:
        """The Markdown file."""
        heading = _HEADING.format(title_zh=self.title_zh, title_en=self.title_en)
        lines = "\n".join(f"- {label}: {value}" for label, value in self.lines)
        return f"{heading}{lines}\n\n{self.text_zh}\n\n{self.text_en}\n".encode()


def keep_document(
    store: EvidenceStore, connection: Connection, document: Document, *, added_at: int
) -> Evidence:
    """Keep the document as evidence, marked as made up."""
    content = document.content()
    return store.keep(
        connection,
        io.BytesIO(content),
        Description(document.title_zh, document.title_en, MEDIA_TYPE, made_up=True),
        added_at=added_at,
        salt=hashlib.sha256(b"moonlake.demonstration.salt\n" + content).digest(),
    )


def of_contribution(step: Awards, contribution: Contribution) -> Document:
    """Shows what an organisation contributed."""
    sample = contribution.sample
    category = contribution.category
    return Document(
        sample.title_zh,
        sample.title_en,
        (
            *_parties(step.programme, contribution.organisation),
            ("类别 Category", f"{category.name_zh} {category.name_en} ({category.key})"),
            ("数额 Credits", str(contribution.amount)),
            ("日期 Date", _date(step.at)),
            ("编号 Number", contribution.key),
        ),
        sample.text_zh,
        sample.text_en,
    )


def of_mistake(step: Mistake) -> Document:
    """Shows why an award was taken back."""
    return Document(
        "记录更正说明",
        "Note on a corrected record",
        (
            *_parties(step.programme, step.contribution.organisation),
            ("原编号 Number corrected", step.contribution.key),
            ("数额 Credits", f"-{step.contribution.amount}"),
            ("日期 Date", _date(step.at)),
            ("编号 Number", step.key),
        ),
        "同一项贡献被记录两次，现予冲销。",
        "The same contribution had been recorded twice; this entry takes it back.",
    )


def of_renewals(step: Renewals) -> Document:
    """Shows that members asked for another term."""
    return Document(
        "会员续期汇总",
        "Summary of renewals",
        (
            ("计划 Programme", f"{step.programme.name_zh} {step.programme.name_en}"),
            ("会员数 Members", str(len(step.organisations))),
            ("有效期至 Until", _date(step.expires_at)),
            ("日期 Date", _date(step.at)),
            ("编号 Number", step.key),
        ),
        "、".join(row.name_zh for row in step.organisations) + "申请续期并获准。",
        "The members named above asked for another term and were granted it.",
    )


def of_suspension(step: Suspension) -> Document:
    """Shows why a membership was suspended."""
    return Document(
        "会员资格暂停通知",
        "Notice of a suspension",
        _notice(step, step.organisation),
        "年度报告逾期未交，会员资格自即日起暂停。",
        "The yearly report is overdue; the membership is suspended from this day.",
    )


def of_resumption(step: Resumption) -> Document:
    """Shows why a suspension ended."""
    return Document(
        "会员资格恢复通知",
        "Notice that a suspension ended",
        _notice(step, step.organisation),
        "年度报告已补交，会员资格恢复。",
        "The yearly report has been received; the membership is resumed.",
    )


def _notice(
    step: Suspension | Resumption, organisation: OrganisationRow
) -> tuple[tuple[str, str], ...]:
    return (
        *_parties(step.programme, organisation),
        ("日期 Date", _date(step.at)),
        ("编号 Number", step.key),
    )


def _parties(
    programme: ProgrammeRow, organisation: OrganisationRow
) -> tuple[tuple[str, str], tuple[str, str]]:
    return (
        ("组织 Organisation", f"{organisation.name_zh} {organisation.name_en}"),
        ("计划 Programme", f"{programme.name_zh} {programme.name_en}"),
    )


def _date(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).date().isoformat()
