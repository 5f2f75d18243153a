"""The columns of each kind of import, with their headings in English and Chinese.

A file is read by its headings, in whatever order they stand; either language will do, and both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ledger.services.spreadsheets.tables import Layout
from ledger.services.spreadsheets.writing import write_table


class Subject(StrEnum):
    """What the rows of a file are."""

    ORGANISATIONS = "organisations"
    MEMBERSHIPS = "memberships"
    AWARDS = "awards"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `also` are further headings that mean it."""

    name: str
    chinese: str
    is_required: bool = False
    also: tuple[str, ...] = ()


_REFERENCE = Column("reference", "编号", also=("ref", "流水号", "凭证号"))
_PROGRAMME = Column("programme", "项目", also=("program", "programme key", "所属项目"))
_ORGANISATION = Column(
    "organisation", "机构", is_required=True, also=("organization", "org", "机构代号", "单位")
)
_EVIDENCE = Column("evidence", "证明", also=("证明材料", "佐证"))

COLUMNS: dict[Subject, tuple[Column, ...]] = {
    Subject.AWARDS: (
        _REFERENCE,
        _PROGRAMME,
        _ORGANISATION,
        Column("amount", "数额", is_required=True, also=("credits", "积分", "分值")),
        Column("category", "类别", is_required=True, also=("贡献类别",)),
        _EVIDENCE,
    ),
    Subject.MEMBERSHIPS: (
        _REFERENCE,
        _PROGRAMME,
        _ORGANISATION,
        Column("action", "操作"),
        Column("tier", "级别", also=("等级", "会员级别", "会员等级")),
        Column("expires", "到期日", also=("expires at", "expiry", "有效期至")),
        Column("reason", "原因"),
        _EVIDENCE,
    ),
    Subject.ORGANISATIONS: (
        Column("key", "代号", is_required=True, also=("机构代号",)),
        Column("name_zh", "中文名称", also=("name zh", "中文名", "名称")),
        Column("name_en", "英文名称", also=("name en", "英文名")),
        Column("kind", "性质", also=("类型",)),
        Column("controller", "账户地址", is_required=True, also=("account", "账户", "地址")),
        Column("segment", "行业", also=("领域",)),
        Column("note", "备注"),
    ),
}


def layout_of(subject: Subject) -> Layout:
    """How a file of this kind is read."""
    columns = COLUMNS[subject]
    aliases = {
        heading.casefold().replace("_", " "): column.name
        for column in columns
        for heading in (column.name, column.chinese, *column.also)
    }
    return Layout(
        required=tuple(column.name for column in columns if column.is_required),
        optional=tuple(column.name for column in columns if not column.is_required),
        aliases=aliases,
    )


def headings_of(subject: Subject, *, chinese: bool = False) -> Sequence[str]:
    """The headings of a kind, in their order."""
    return [column.chinese if chinese else column.name for column in COLUMNS[subject]]


def write_template(path: Path, subject: Subject, *, chinese: bool = False) -> None:
    """Write an empty file with the headings. Raises InvalidValue and FolderUnusable."""
    write_table(path, headings_of(subject, chinese=chinese), [])
