"""Whether a key can sign now: what `moonlake keys check` and `moonlake doctor` look at.

It opens and asks, and signs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ledger.chain.keyring import Ask, Kind, NamedKey, open_named_signer, open_remote
from ledger.chain.transport import Patience
from ledger.config import Settings
from ledger.errors import FeesTooHigh, NodeProblem

if TYPE_CHECKING:
    from ledger.chain.rpc import Node

IMPATIENT = Patience(attempts=1, timeout=3.0)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a key: for JSON, and as lines for people."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Coin:
    """The wei that an account has, and what its largest transaction would cost now at most.

    `largest` is zero on a network without fees; None where fees are above the ceiling.
    """

    balance: int
    largest: int | None

    @property
    def missing(self) -> int:
        """What to send there so that the largest transaction can be paid; zero for nothing."""
        return max((self.largest or 0) - self.balance, 0)


def check_key(settings: Settings, key: NamedKey, ask: Ask | None) -> Checked:
    """Open the key or ask its remote signer, and look at its coin.

    Raises what keeps it from signing: KeyLocked, PasswordUnusable, SignerProblem, InvalidFile.
    """
    checked = Checked({"opens": True})
    remote = open_remote(settings, key.name)
    if remote is not None:
        try:
            remote.check()
        finally:
            remote.close()
        checked.lines.append("The remote signer answers and has the key.")
    else:
        open_named_signer(settings, key.name, ask)
        opens = "Its password opens it." if key.kind is Kind.KEYSTORE else "It is a secret key."
        checked.lines.append(opens)
    _add_coin(settings, key, checked)
    return checked


def read_coin(node: Node, settings: Settings, address: bytes) -> Coin:
    """An account's coin beside the cost of the largest transaction. Raises NodeProblem."""
    from ledger.chain.sending import MAX_GAS, read_fees  # noqa: PLC0415  only where it is asked

    header = node.header("latest")
    balance = node.balance(address, "latest")
    try:
        fees = read_fees(node, header, ceiling=settings.fee_ceiling)
    except FeesTooHigh:
        return Coin(balance, None)
    return Coin(balance, min(MAX_GAS, int(header.gas_limit, 16)) * fees.max_fee)


def _add_coin(settings: Settings, key: NamedKey, checked: Checked) -> None:
    from ledger.chain.rpc import Node  # noqa: PLC0415  only where it is asked

    with Node(settings.nodes[0], patience=IMPATIENT) as node:
        try:
            coin = read_coin(node, settings, key.address)
        except NodeProblem as error:
            checked.lines.append(f"Its coin is not known: {error}")
            return
    checked.values["balance"] = coin.balance
    checked.values["largest_transaction"] = coin.largest
    if coin.largest is None:
        checked.lines.append(
            f"It has {coin.balance} wei; fees are above MOONLAKE_MAX_FEE_GWEI now, so nothing is "
            "signed."
        )
    elif coin.largest == 0:
        checked.lines.append("This network has no fees; it needs no coin.")
    elif coin.missing:
        checked.lines.append(
            f"It has {coin.balance} wei; the largest transaction would cost {coin.largest} wei "
            f"now: send it {coin.missing} wei or more of the chain's coin."
        )
    else:
        count = coin.balance // coin.largest
        checked.lines.append(f"It has {coin.balance} wei: enough for {count} large transactions.")
