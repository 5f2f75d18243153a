"""What anybody can write into a history for the price of a transaction spoils no audit of it.

All of it is honest, and none of it as our own wallets write it: calldata with bytes left over or in
another order, code that is gone afterwards, a message that a stranger's contract passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.audit.anchors import read_anchor
from ledger.audit.blocks import Act, BlockProver, ProvedBlock
from ledger.audit.bundle import opened_bundle
from ledger.audit.exporting import Exporter, ask_anchor
from ledger.audit.findings import Finding
from ledger.audit.history.replay import History
from ledger.audit.verify import verify_bundle
from ledger.chain.artifacts import JOURNALLED
from ledger.chain.contracts.contract import encode_call
from ledger.chain.signers import TransactionFields
from ledger.chain.typed_data import MessageDomain, TypedMessage, sign_message
from tests.audit.conftest import POLICY, Compiled, say_nothing
from tests.support.anvil import running_anvil
from tests.support.happenings import Ledger, commitment, found_ledger

GAS = 3_000_000
WORD = 32


@dataclass(frozen=True)
class Spoiled:
    """A ledger that strangers dealt with, its bundle, who signed what a relay passed on, and whose
    key had code for a time."""

    ledger: Ledger
    folder: Path
    bundle: Path
    signer: bytes
    relay: bytes
    lent: bytes


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spoiled]:
    folder = tmp_path_factory.mktemp("spoiled")
    with running_anvil(folder) as anvil:
        ledger = found_ledger(anvil, folder)
        relay = _make(ledger, _returning(_passing_on(ledger.addresses["Organisations"])))
        _leave_bytes_over(ledger)
        _cancel_in_a_constructor(ledger)
        _cancel_in_another_order(ledger)
        lent = _cancel_by_lent_code(ledger)
        signer = _pass_on_a_nomination(ledger, relay)
        bundle = folder / "bundle.tar"
        Exporter(ledger.node, ledger.deployment, say_nothing).export(
            bundle, ledger.node.block_number()
        )
        yield Spoiled(ledger, folder, bundle, signer, relay, lent)
        ledger.close()


def test_verify__of_what_strangers_did__is_complete_and_correct(spoiled: Spoiled) -> None:
    anchor = spoiled.folder / "anchor.json"
    last = spoiled.ledger.node.block_number()
    anchor.write_bytes(ask_anchor(spoiled.ledger.node, spoiled.ledger.deployment, last)[0])

    verdict = verify_bundle(spoiled.bundle, read_anchor(anchor), compiling=Compiled, policy=POLICY)

    assert [each.sentence("en") for each in verdict.findings] == []
    assert verdict.exit_code == 0


@pytest.mark.parametrize("kept", [0, -40], ids=["gone", "cut short"])
def test_call__that_was_passed_on_and_is_not_there__leaves_its_signer_to_be_shown(
    spoiled: Spoiled, kept: int
) -> None:
    ways = {spoiled.relay: spoiled.signer, spoiled.lent: spoiled.lent}

    def without_call(act: Act) -> Act:
        if act.sent.to not in ways:
            return act
        return act._replace(sent=act.sent._replace(data=act.sent.data[:kept]))

    assert _outsiders(spoiled, lambda act: act) == set()
    assert _outsiders(spoiled, without_call) == set(ways.values())


def test_message__passed_on_for_another_line__leaves_its_signer_to_be_shown(
    spoiled: Spoiled,
) -> None:
    successor = commitment("successor")[:20]

    def for_another(act: Act) -> Act:
        changed = act.sent.data.replace(successor, commitment("other")[:20])
        return act._replace(sent=act.sent._replace(data=changed))

    assert spoiled.signer in _outsiders(spoiled, for_another)


def _outsiders(spoiled: Spoiled, change: Callable[[Act], Act]) -> set[bytes]:
    """Who must be shown to have code, of a history with its transactions changed."""
    deployment, found = spoiled.ledger.deployment, list[Finding]()
    history = History(
        spoiled.ledger.addresses, deployment.chain_id, deployment.recovery_delay, found.append
    )
    with opened_bundle(spoiled.bundle) as bundle:
        places = bundle.places()
        addresses = [places.addresses[name] for name in JOURNALLED]
        prover = BlockProver(addresses, places.chain_id, bundle.manifest.first_block)
        for record in bundle.records():
            block = prover.prove(record)
            acts = [change(act) for act in block.acts]
            history.take(ProvedBlock(block.header, acts))
    assert found == []
    return set(history.acts.outsiders)


# --- what strangers do ---


def _leave_bytes_over(ledger: Ledger) -> None:
    call = encode_call("Credits", "cancelMessage", commitment("left over"))
    ledger.send("member", "Credits", call + b"\x00")


def _cancel_in_a_constructor(ledger: Ledger) -> None:
    call = encode_call("Credits", "cancelMessage", commitment("constructor"))
    _make(ledger, _calling(ledger.addresses["Credits"], call))


def _cancel_in_another_order(ledger: Ledger) -> None:
    """The signature stands before the signer, and a word that nothing points at between them."""
    officer = ledger.officers["member"]
    operation, deadline = commitment("another order"), ledger.now + 1_000
    message = TypedMessage(
        MessageDomain("Credits", ledger.deployment.chain_id, ledger.addresses["Credits"]),
        "Cancellation",
        {"account": officer.address, "operationId": operation, "deadline": deadline},
    )
    signed = sign_message(message, officer, now=ledger.now)
    selector = encode_call(
        "Credits",
        "cancelMessageBySignature",
        operation,
        {"signer": b"", "deadline": 0, "signature": b""},
    )[:4]
    words = [operation, _number(2 * WORD), _number(8 * WORD), _number(deadline), _number(3 * WORD)]
    words += [_number(65), signed.signature.ljust(3 * WORD, b"\xff"), _number(7)]
    words += [_number(20), signed.signer.ljust(WORD, b"\xff")]
    ledger.send("member", "Credits", selector + b"".join(words))


def _cancel_by_lent_code(ledger: Ledger) -> bytes:
    """A controller's key has code for one transaction, and none afterwards (EIP-7702)."""
    name = ledger.controller(2)  # type: ignore[arg-type]
    officer, rpc = ledger.officers[name], ledger.anvil.rpc
    lent = _make(ledger, _returning(_passing_on(ledger.addresses["Credits"])))
    rpc.call("anvil_setCode", "0x" + officer.address.hex(), "0xef0100" + lent.hex())
    call = encode_call("Credits", "cancelMessage", commitment("lent code"))
    _send(ledger, name, officer.address, call)
    rpc.call("anvil_setCode", "0x" + officer.address.hex(), "0x")
    return officer.address


def _pass_on_a_nomination(ledger: Ledger, relay: bytes) -> bytes:
    officer = ledger.officers[ledger.controller(1)]  # type: ignore[arg-type]
    values = {
        "orgId": 1,
        "successor": commitment("successor")[:20],
        "account": officer.address,
        "operationId": commitment("passed on"),
        "deadline": ledger.now + 1_000,
    }
    domain = MessageDomain(
        "Organisations", ledger.deployment.chain_id, ledger.addresses["Organisations"]
    )
    signed = sign_message(TypedMessage(domain, "Rotation", values), officer, now=ledger.now)
    fields = {
        "signer": signed.signer,
        "deadline": signed.deadline,
        "signature": signed.signature,
    }
    given = (values["orgId"], values["successor"], values["operationId"], fields)
    _send(ledger, "second", relay, encode_call("Organisations", "nominateBySignature", *given))
    return officer.address


def _send(ledger: Ledger, name: str, to: bytes, data: bytes) -> str:
    """Send to anybody; the contract that was made, if one was."""
    officer = ledger.officers[name]
    nonce = ledger.node.nonce(officer.address, "pending")
    fields = TransactionFields(ledger.deployment.chain_id, nonce, to, data, GAS, 10**12, 0)
    sent = ledger.node.send_raw_transaction(officer.sign_transaction(fields))
    receipt = ledger.anvil.receipt("0x" + sent.hex())
    assert receipt["status"] == "0x1"
    return str(receipt["contractAddress"])


def _make(ledger: Ledger, code: bytes) -> bytes:
    return bytes.fromhex(_send(ledger, "second", b"", code).removeprefix("0x"))


# --- code, by hand ---


def _number(value: int) -> bytes:
    return value.to_bytes(WORD, "big")


def _call(target: bytes, length: bytes) -> bytes:
    """CALL with what stands in memory, of a length that the given code puts on the stack."""
    return b"\x5f\x5f" + length + b"\x5f\x5f\x73" + target + b"\x5a\xf1"


def _passing_on(target: bytes) -> bytes:
    """Passes its calldata on, and fails where that fails: by a jump to no place to jump to."""
    return b"\x36\x5f\x5f\x37" + _call(target, b"\x36") + b"\x15\x5f\x57\x00"


def _calling(target: bytes, call: bytes) -> bytes:
    """Calls once, and has no code."""
    code = b""
    for at in range(0, len(call), WORD):
        code += b"\x7f" + call[at : at + WORD].ljust(WORD, b"\0") + b"\x60" + bytes([at, 0x52])
    return code + _call(target, b"\x60" + bytes([len(call)])) + b"\x15\x5f\x57\x00"


def _returning(code: bytes) -> bytes:
    """Makes a contract of this code."""
    size = bytes([len(code)])
    return b"\x60" + size + b"\x60\x0b\x5f\x39\x60" + size + b"\x5f\xf3\x00" + code
