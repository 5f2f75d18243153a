"""Column types and naming that every table shares.

Ids, heights, amounts and times are BIGINT (an amount is at most 2**53 - 1), addresses 20 bytes,
hashes 32 bytes, keys text. A table of the mirror names the log that each row came from.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, MetaData, Text

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

ADDRESS_BYTES = 20
HASH_BYTES = 32


def new_metadata() -> MetaData:
    """An area's own collection of tables."""
    return MetaData(naming_convention=NAMING_CONVENTION)


def number(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[int]:
    """A whole number: id, height, amount, or seconds since 1970 UTC."""
    return Column(name, BigInteger, primary_key=primary_key, nullable=nullable, autoincrement=False)


def text(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[str]:
    """A key or a sentence."""
    return Column(name, Text, primary_key=primary_key, nullable=nullable)


def address(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[bytes]:
    """An account or contract, 20 bytes."""
    return Column(name, LargeBinary(ADDRESS_BYTES), primary_key=primary_key, nullable=nullable)


def digest(
    name: str, *, primary_key: bool = False, nullable: bool = False, unique: bool = False
) -> Column[bytes]:
    """A hash, commitment or operation id, 32 bytes."""
    return Column(
        name,
        LargeBinary(HASH_BYTES),
        primary_key=primary_key,
        nullable=nullable,
        unique=unique or None,
    )


def blob(name: str, *, nullable: bool = False) -> Column[bytes]:
    """Bytes of any length."""
    return Column(name, LargeBinary, nullable=nullable)


def flag(name: str) -> Column[int]:
    """True or false as 1 or 0, so that both databases and the digest see the same number."""
    return Column(name, BigInteger, CheckConstraint(f"{name} in (0, 1)", name=name), nullable=False)


def log_position() -> tuple[Column[int], Column[int]]:
    """The primary key of a mirrored fact: where in the chain its log stands."""
    return number("block_number", primary_key=True), number("log_index", primary_key=True)
