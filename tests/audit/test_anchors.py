"""Bundles that go on from one another, and anchors that several parties signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from ledger.audit.anchors import Witness, describe_anchor, read_anchor, write_anchor
from ledger.audit.bundle import MANIFEST, Manifest, write_canonical
from ledger.audit.exporting import Exporter, ask_anchor
from ledger.audit.verify import Verdict, verify_bundle
from ledger.audit.witnesses import NO_WITNESSES, Witnesses, add_witness, witness_text
from ledger.chain.headers import BFT_MIX_HASH, HeaderAnswer, header_hash
from ledger.chain.rpc import Node
from ledger.cli.audit_certificate import verify_certificate_file
from ledger.errors import AnchorUnreadable, InvalidValue, NodeAnswerInvalid
from tests.audit.conftest import POLICY, RULES, Audited, Compiled, say_nothing
from tests.audit.forging import put_together, take_apart

SEEN_BY = [Account.from_key(bytes([number]) * 32) for number in (1, 2, 3)]


def verify(audited: Audited, path: Path, *after: Path, **more: object) -> Verdict:
    return verify_bundle(
        path,
        audited.anchor,
        compiling=Compiled,
        policy=POLICY,
        rules=RULES,
        after=after,
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def parts(audited: Audited, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same history in three bundles, each from where the one before ended."""
    folder, last = tmp_path_factory.mktemp("parts"), audited.anchor.block_number
    found = []
    bounds = [(None, last - 90), (last - 89, last - 40), (last - 39, last)]
    for number, (first, end) in enumerate(bounds):
        exporter = Exporter(audited.ledger.node, audited.ledger.deployment, say_nothing)
        found.append(exporter.export(folder / f"{number}.tar", end, first).path)
    return found


def test_bundle__that_goes_on_from_others__is_complete_with_them(
    audited: Audited, parts: list[Path]
) -> None:
    verdict = verify(audited, parts[2], *parts[:2])

    assert [each.sentence("en") for each in verdict.findings] == []
    assert verdict.exit_code == 0
    assert verdict.first_block == audited.ledger.deployment.first_block
    assert parts[2].stat().st_size < audited.bundle.stat().st_size


def test_bundle__that_goes_on_from_one_that_is_not_there__is_incomplete(
    audited: Audited, parts: list[Path]
) -> None:
    alone = verify(audited, parts[2])

    assert alone.exit_code == 2
    assert "history.begins_later" in alone.findings.counts


def test_bundles__with_a_gap_or_out_of_order__are_refused(
    audited: Audited, parts: list[Path]
) -> None:
    for after in ([parts[0]], [parts[1], parts[0]], [parts[0], parts[0], parts[1]]):
        verdict = verify(audited, parts[2], *after)
        code = "history.begins_later" if after[0] is parts[1] else "blocks.number"
        assert set(verdict.findings.counts) == {code}
        assert verdict.exit_code == (2 if after[0] is parts[1] else 1)


def test_anchor__signed_by_witnesses__counts_those_that_are_accepted(
    audited: Audited, tmp_path: Path
) -> None:
    anchor = audited.anchor
    for key in SEEN_BY[:2]:
        signed = key.sign_message(encode_defunct(text=witness_text(anchor)))
        anchor, address = add_witness(anchor, "0x" + signed.signature.hex().removeprefix("0x"))
        assert address == key.address.lower()
    file = tmp_path / "anchor.json"
    file.write_bytes(write_anchor(anchor))
    assert read_anchor(file) == anchor
    accepted = [bytes.fromhex(key.address[2:]) for key in SEEN_BY]

    def count(needed: int, *among: bytes) -> tuple[int, dict[str, int]]:
        verdict = verify_bundle(
            audited.bundle,
            anchor,
            compiling=Compiled,
            policy=POLICY,
            rules=RULES,
            witnesses=Witnesses(among, needed),
        )
        return verdict.exit_code, verdict.findings.counts

    assert count(2, *accepted) == (0, {})
    assert count(2, accepted[0], accepted[2]) == (2, {"anchor.witnesses": 1})
    assert count(3, *accepted) == (2, {"anchor.witnesses": 1})


@pytest.mark.parametrize("field", ["block_hash", "block_number", "chain_id", "contracts"])
def test_anchor__changed_after_it_was_witnessed__is_refused(audited: Audited, field: str) -> None:
    signed = SEEN_BY[0].sign_message(encode_defunct(text=witness_text(audited.anchor)))
    anchor, _ = add_witness(audited.anchor, signed.signature.hex())
    other = {
        "block_hash": "0x" + "11" * 32,
        "block_number": 7,
        "chain_id": 2,
        "contracts": dict(list(anchor.contracts.items())[1:]),
    }[field]
    forged = msgspec.structs.replace(anchor, **{field: other})

    verdict = verify_bundle(audited.bundle, forged)

    assert verdict.exit_code == 1
    assert "anchor.witness" in verdict.findings.counts


@pytest.mark.parametrize(
    "signature",
    ["", "0x", "0x" + "00" * 65, "0x12", "zz", "0x" + "ff" * 65, "0x 11" + "11" * 64, "11" * 66],
)
def test_signature__that_is_none__makes_no_witness(audited: Audited, signature: str) -> None:
    with pytest.raises(InvalidValue):
        add_witness(audited.anchor, signature)
    made_up = msgspec.structs.replace(
        audited.anchor, witnesses=[Witness("0x" + "11" * 20, signature)]
    )
    assert "anchor.witness" in verify_bundle(audited.bundle, made_up).findings.counts


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    "change", [{"first_block": 3}, {"last_block": 3}, {"last_hash": "0x" + "11" * 32}]
)
def test_manifest__that_names_other_blocks_than_its_bundle_holds__is_refused(
    audited: Audited, parts: list[Path], tmp_path: Path, place: int, change: dict[str, Any]
) -> None:
    files = take_apart(parts[place])
    before = msgspec.json.decode(files[MANIFEST], type=Manifest)
    files[MANIFEST] = write_canonical(msgspec.structs.replace(before, **change))
    forged = put_together(tmp_path / "forged.tar", files)
    *after, last = [*parts[:place], forged, *parts[place + 1 :]]

    verdict = verify(audited, last, *after)

    assert verdict.exit_code == 1
    first_of_all = place == 0 and "first_block" in change
    expected = "blocks.number" if first_of_all else "bundle.contradiction"
    assert set(verdict.findings.counts) == {expected}


@pytest.mark.parametrize(
    "change",
    [
        {"block_hash": "0x" + "\n" * 64},
        {"genesis_hash": "0x\u202e" + "1" * 63},
        {"block_number": -1},
        {"chain_id": 2**80},
        {"contracts": {"\x1b[2J": "0x" + "11" * 20}},
        {"contracts": {"Credits": "\x1b[2J"}},
        {"validators": ["\x1b]0;moon\x07"]},
        {"witnesses": [{"address": "\x1b[2J", "signature": "0x"}]},
    ],
)
def test_anchor__with_what_is_no_hash_address_or_name__is_not_read(
    audited: Audited, tmp_path: Path, change: dict[str, Any]
) -> None:
    file = tmp_path / "anchor.json"
    file.write_text(json.dumps({**describe_anchor(audited.anchor), **change}))

    with pytest.raises(AnchorUnreadable) as caught:
        read_anchor(file)
    assert str(caught.value).isprintable()


def test_certificate__by_an_anchor_with_a_false_witness__is_wrong_in_every_form_of_the_command(
    audited: Audited, tmp_path: Path
) -> None:
    certificate, file = tmp_path / "certificate.json", tmp_path / "anchor.json"
    certificate.write_bytes(audited.certificate)
    false = Witness("0x" + "11" * 20, "0x" + "12" * 65)
    file.write_bytes(write_anchor(msgspec.structs.replace(audited.anchor, witnesses=[false])))

    assert verify_certificate_file(certificate, file, True) == 1
    assert verify_certificate_file(certificate, file, True, NO_WITNESSES) == 1
    assert verify_certificate_file(certificate, audited.anchor_file, True) == 0


class OddHeader(Node):
    """A node whose headers say that validators sealed them, and not how."""

    def header(self, block: Any) -> HeaderAnswer:
        found = msgspec.structs.replace(
            super().header(block), mix_hash="0x" + BFT_MIX_HASH.hex(), extra_data="0xc0"
        )
        return msgspec.structs.replace(found, hash="0x" + header_hash(found).hex())


def test_anchor__asked_of_a_node_with_odd_seals__is_the_nodes_fault(audited: Audited) -> None:
    with OddHeader(audited.ledger.anvil.url) as node, pytest.raises(NodeAnswerInvalid):
        ask_anchor(node, audited.ledger.deployment, 7)
