"""A voucher counts once, whoever brings it and whatever is left of our own records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.chain.keccak import keccak256
from ledger.chain.messages import write_award_batch
from ledger.chain.signers import LocalSigner
from ledger.chain.typed_data import MESSAGES, MessageDomain, sign_message
from ledger.domain.commands import Award
from ledger.errors import InvalidValue, VoucherUsed
from ledger.services.vouchers import bringing
from ledger.services.vouchers.checking import check_voucher
from ledger.services.vouchers.voucher import Voucher
from ledger.services.vouchers.words import SENTENCES
from tests.support.desks import Sender, opened_engine
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME


@pytest.fixture
def voucher(sender: Sender) -> Voucher:
    """Awards of 5 credits that the issuer signed."""
    ledger = sender.ledger
    address = ledger.contracts.credits.address
    now = int(ledger.node.header("latest").timestamp, 16)
    message = write_award_batch(
        MessageDomain("Credits", ledger.deployment.chain_id, address),
        PROGRAMME,
        [Award(MEMBER, 5, CATEGORY)],
        account=ledger.issuer.address,
        operation_id=keccak256(b"a voucher"),
        deadline=now + 10_000,
    )
    return Voucher(message, sign_message(message, ledger.issuer, now=now))


@pytest.fixture
def other(sender: Sender, tmp_path: Path) -> Iterator[Sender]:
    """A sender whose database knows nothing of the first one's."""
    with opened_engine(f"sqlite:///{tmp_path / 'other.sqlite3'}") as engine:
        yield Sender(sender.ledger, engine, tmp_path / "other")


def funded(sender: Sender, name: bytes) -> LocalSigner:
    signer = LocalSigner(keccak256(name))
    sender.ledger.anvil.rpc.call("anvil_setBalance", "0x" + signer.address.hex(), hex(10**22))
    return signer


def test_voucher__brought_again_after_our_records_are_lost__is_the_same_transaction(
    sender: Sender, other: Sender, voucher: Voucher
) -> None:
    ledger = sender.ledger
    relayer, stranger = funded(sender, b"relayer"), funded(sender, b"stranger")
    check_voucher(voucher, ledger.deployment, ledger.node)

    first = bringing.bring(sender.order(b"", by=relayer), voucher)
    nonce = sender.nonce(by=relayer)
    with pytest.raises(VoucherUsed) as used:
        check_voucher(voucher, ledger.deployment, ledger.node)
    with pytest.raises(VoucherUsed):
        bringing.bring(other.order(b"", by=stranger), voucher, used=used.value)
    again = bringing.bring(other.order(b"", by=relayer), voucher, used=used.value)

    assert again.last_attempt is not None
    assert first.last_attempt is not None
    assert again.last_attempt.transaction_hash == first.last_attempt.transaction_hash
    assert again.is_done
    assert sender.nonce(by=relayer) == nonce
    assert sender.nonce(by=stranger) == 0
    assert ledger.contracts.credits.balance_of(PROGRAMME, MEMBER, at="latest") == 5


def test_voucher__with_terms_that_are_no_consents__is_refused(
    sender: Sender, voucher: Voucher
) -> None:
    with pytest.raises(InvalidValue, match="expires"):
        bringing.bring(sender.order(b""), voucher, bringing.Terms(4_000_000_000))


def test_sentences__of_messages__are_those_that_the_contracts_take() -> None:
    assert set(SENTENCES) == {name for names in MESSAGES.values() for name in names}
