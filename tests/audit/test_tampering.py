"""Bundles that somebody changed: none is accepted, none ends in a traceback.

`pytest tests/audit/test_tampering.py --flips 5000` flips as many bits as the targets ask for.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.audit.archive import ArchiveWriter
from ledger.audit.bundle import (
    BLOCKS,
    CLAIMS,
    MANIFEST,
    ORDER,
    PLACES,
    SOURCES,
    STATE,
    AccountState,
    encode_state,
    write_canonical,
)
from ledger.audit.verify import Verdict, verify_bundle
from tests.audit.conftest import POLICY, RULES, Audited, Compiled
from tests.audit.forging import (
    Files,
    change_state,
    join_records,
    put_together,
    records_of,
    take_apart,
)


def verify(audited: Audited, path: Path) -> Verdict:
    return verify_bundle(path, audited.anchor, compiling=Compiled, policy=POLICY, rules=RULES)


@pytest.fixture(scope="session")
def files(audited: Audited) -> Files:
    return take_apart(audited.bundle)


def test_bundle__taken_apart_and_put_together__is_accepted(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    path = put_together(tmp_path / "same.tar", files)

    assert path.read_bytes() == audited.bundle.read_bytes()
    assert verify(audited, path).exit_code == 0


def test_bundle__with_one_bit_flipped_anywhere__is_never_accepted(
    audited: Audited, tmp_path: Path, flips: int
) -> None:
    whole, path = bytearray(audited.bundle.read_bytes()), tmp_path / "flipped.tar"
    path.write_bytes(whole)
    chance = random.Random(8)
    accepted = []
    with path.open("r+b") as file:
        for _ in range(flips):
            at, bit = chance.randrange(len(whole)), chance.randrange(8)
            file.seek(at)
            file.write(bytes([whole[at] ^ 1 << bit]))
            file.flush()
            verdict = verify(audited, path)
            if verdict.exit_code != 1 or not verdict.findings.total:
                accepted.append((at, bit))
            file.seek(at)
            file.write(bytes([whole[at]]))

    assert accepted == []


@pytest.mark.parametrize("at", [0.0, 0.2, 0.5, 0.9, 0.999999])
def test_bundle__cut_short__is_refused(audited: Audited, tmp_path: Path, at: float) -> None:
    whole, path = audited.bundle.read_bytes(), tmp_path / "cut.tar"
    path.write_bytes(whole[: int(len(whole) * at)])

    assert verify(audited, path).exit_code == 1


def _archive(path: Path, names: list[str], files: Files) -> Path:
    with path.open("wb") as file:
        writer = ArchiveWriter(file)
        for name in names:
            writer.add(name, files.get(name, files[BLOCKS]))
        writer.finish()
    return path


@pytest.mark.parametrize("name", ORDER)
def test_bundle__without_one_of_its_files__is_refused(
    audited: Audited, files: Files, tmp_path: Path, name: str
) -> None:
    path = _archive(tmp_path / "less.tar", [each for each in ORDER if each != name], files)

    assert set(verify(audited, path).findings.counts) == {"bundle.unreadable"}


@pytest.mark.parametrize(
    "names",
    [
        [*ORDER, "more.rlp"],
        ["added.json", *ORDER],
        [*ORDER, ORDER[0]],
        list(reversed(ORDER)),
        [*ORDER[:-1], "../manifest.json"],
        [*ORDER[:-1], "/manifest.json"],
        [ORDER[1], ORDER[0], *ORDER[2:]],
    ],
    ids=["more", "before", "twice", "reversed", "parent", "absolute", "swapped"],
)
def test_bundle__with_other_files_or_another_order__is_refused(
    audited: Audited, files: Files, tmp_path: Path, names: list[str]
) -> None:
    path = _archive(tmp_path / "other.tar", names, files)

    assert set(verify(audited, path).findings.counts) == {"bundle.unreadable"}


def test_bundle__with_a_link_in_it__is_refused(audited: Audited, tmp_path: Path) -> None:
    whole, path = bytearray(audited.bundle.read_bytes()), tmp_path / "link.tar"
    whole[156:157] = b"2"
    whole[157:168] = b"/etc/passwd"
    header = bytes(whole[:148]) + b" " * 8 + bytes(whole[156:512])
    whole[148:156] = b"%06o\0 " % sum(header)
    path.write_bytes(whole)

    assert set(verify(audited, path).findings.counts) == {"bundle.unreadable"}


def test_bundle__that_is_compressed_or_followed_by_something__is_refused(
    audited: Audited, tmp_path: Path
) -> None:
    path, whole = tmp_path / "changed.tar", audited.bundle.read_bytes()
    for content in (gzip.compress(whole), whole + bytes(512), whole + b"\1", b"\0" + whole, b""):
        path.write_bytes(content)

        assert set(verify(audited, path).findings.counts) == {"bundle.unreadable"}


def test_file__that_is_another_of_the_same_length__is_named(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    manifest = files[MANIFEST]
    for name in ORDER[:-1]:
        content = bytearray(files[name])
        content[len(content) // 2] ^= 1
        path = tmp_path / f"{name}.tar"
        with path.open("wb") as file:
            writer = ArchiveWriter(file)
            for each in ORDER:
                given = bytes(content) if each == name else files[each]
                writer.add(each, manifest if each == MANIFEST else given)
            writer.finish()

        verdict = verify(audited, path)

        assert [(each.code, each.row) for each in verdict.findings] == [("bundle.digest", name)]


# --- what an operator does who also writes the digests anew ---------------------------------------


def _drop_a_block(records: list[Any]) -> list[Any]:
    return records[:40] + records[41:]


def _swap_two_blocks(records: list[Any]) -> list[Any]:
    return [*records[:40], records[41], records[40], *records[42:]]


def _repeat_a_block(records: list[Any]) -> list[Any]:
    return [*records[:40], records[40], *records[40:]]


def _cut_the_last(records: list[Any]) -> list[Any]:
    return records[:-1]


def _cut_the_first(records: list[Any]) -> list[Any]:
    return records[1:]


def _hide_a_body(records: list[Any]) -> list[Any]:
    return [*records[:40], records[40][:1], *records[41:]]


def _drop_a_receipt(records: list[Any]) -> list[Any]:
    header, transactions, receipts = records[40]
    return [*records[:40], [header, transactions, receipts[:-1]], *records[41:]]


def _drop_a_transaction(records: list[Any]) -> list[Any]:
    header, transactions, receipts = records[40]
    return [*records[:40], [header, transactions[:-1], receipts[:-1]], *records[41:]]


def _change_a_receipt(records: list[Any]) -> list[Any]:
    header, transactions, receipts = records[40]
    last = bytearray(receipts[-1])
    last[-1] ^= 1
    changed = [header, transactions, [*receipts[:-1], bytes(last)]]
    return [*records[:40], changed, *records[41:]]


def _change_a_signature(records: list[Any]) -> list[Any]:
    header, transactions, receipts = records[40]
    last = bytearray(transactions[-1])
    last[-1] ^= 1
    changed = [header, [*transactions[:-1], bytes(last)], receipts]
    return [*records[:40], changed, *records[41:]]


def _change_a_header(records: list[Any]) -> list[Any]:
    header = bytearray(records[40][0])
    header[-1] ^= 1
    return [*records[:40], [bytes(header), *records[40][1:]], *records[41:]]


@pytest.mark.parametrize(
    "change",
    [
        _drop_a_block,
        _swap_two_blocks,
        _repeat_a_block,
        _cut_the_last,
        _cut_the_first,
        _hide_a_body,
        _drop_a_receipt,
        _drop_a_transaction,
        _change_a_receipt,
        _change_a_signature,
        _change_a_header,
    ],
)
def test_blocks__changed_with_digests_made_anew__are_refused_and_named(
    audited: Audited, files: Files, tmp_path: Path, change: Callable[[list[Any]], list[Any]]
) -> None:
    changed = {**files, BLOCKS: join_records(change(records_of(files)))}

    verdict = verify(audited, put_together(tmp_path / "forged.tar", changed))

    assert verdict.exit_code == 1
    assert all(each.row for each in verdict.findings)
    assert any(each.block is not None or each.row == MANIFEST for each in verdict.findings)


def _proofs(change: Callable[[list[bytes]], list[bytes]]) -> Callable[..., list[AccountState]]:
    def on_account(states: list[AccountState]) -> list[AccountState]:
        first = states[4]
        return [
            *states[:4],
            AccountState(first.address, change(list(first.proof)), first.slots),
            *states[5:],
        ]

    return on_account


def _slots(change: Callable[[list[bytes]], list[bytes]]) -> Callable[..., list[AccountState]]:
    def on_slot(states: list[AccountState]) -> list[AccountState]:
        first = states[4]
        slot, nodes = next(iter(first.slots.items()))
        slots = {**first.slots, slot: change(list(nodes))}
        return [*states[:4], AccountState(first.address, first.proof, slots), *states[5:]]

    return on_slot


def _pad(nodes: list[bytes]) -> list[bytes]:
    return [*nodes, nodes[0]]


def _pad_inside(nodes: list[bytes]) -> list[bytes]:
    return [nodes[0], nodes[0], *nodes[1:]]


def _reorder(nodes: list[bytes]) -> list[bytes]:
    return list(reversed(nodes))


def _cut(nodes: list[bytes]) -> list[bytes]:
    return nodes[:-1]


def _no_nodes(nodes: list[bytes]) -> list[bytes]:
    return []


def _bend(nodes: list[bytes]) -> list[bytes]:
    return [*nodes[:-1], nodes[-1][:-1] + bytes([nodes[-1][-1] ^ 1])]


@pytest.mark.parametrize("of", [_proofs, _slots], ids=["account", "slot"])
@pytest.mark.parametrize("change", [_pad, _pad_inside, _reorder, _cut, _no_nodes, _bend])
def test_proof__padded_reordered_cut_or_bent__is_refused(
    audited: Audited,
    files: Files,
    tmp_path: Path,
    of: Callable[..., Callable[..., list[AccountState]]],
    change: Callable[[list[bytes]], list[bytes]],
) -> None:
    forged = change_state(files, of(change))

    verdict = verify(audited, put_together(tmp_path / "forged.tar", forged))

    assert verdict.exit_code == 1
    assert "state.proof" in verdict.findings.counts


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda states: states[1:], "state.missing"),
        (lambda states: [*states, states[0]], "state.proof"),
        (lambda states: [states[1], states[0], *states[2:]], "state.order"),
        (lambda states: [], "state.missing"),
    ],
    ids=["dropped", "twice", "swapped", "none"],
)
def test_proofs__dropped_added_or_swapped__are_no_pass(
    audited: Audited,
    files: Files,
    tmp_path: Path,
    change: Callable[[list[AccountState]], list[AccountState]],
    code: str,
) -> None:
    verdict = verify(audited, put_together(tmp_path / "forged.tar", change_state(files, change)))

    assert verdict.exit_code in (1, 2)
    assert code in verdict.findings.counts


def test_claim__of_another_balance__is_named(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    claims = msgspec.json.decode(files[CLAIMS])
    claims["balances"][0][2] += 1
    forged = {**files, CLAIMS: write_canonical(claims)}

    verdict = verify(audited, put_together(tmp_path / "forged.tar", forged))

    programme, org, _ = claims["balances"][0]
    assert "claims.balance" in verdict.findings.counts
    assert f"balance {programme}/{org}" in next(iter(verdict.findings)).sentence("en")


def test_sources__with_one_byte_changed__are_refused(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    forged = {**files, SOURCES: files[SOURCES].replace(b"Keccak", b"Keccac", 1) + b""}
    if forged[SOURCES] == files[SOURCES]:
        forged[SOURCES] = files[SOURCES].replace(b"The", b"Thy", 1)

    verdict = verify(audited, put_together(tmp_path / "forged.tar", forged))

    assert set(verdict.findings.counts) == {"code.sources"}


def test_code__of_which_one_byte_is_another__is_refused(audited: Audited) -> None:
    class Other(Compiled):
        def codes(self) -> dict[str, tuple[bytes, bytes]]:
            found = super().codes()
            creation, runtime = found["Credits"]
            found["Credits"] = (creation, runtime[:100] + bytes([runtime[100] ^ 1]) + runtime[101:])
            return found

    verdict = verify_bundle(
        audited.bundle, audited.anchor, compiling=Other, policy=POLICY, rules=RULES
    )

    assert verdict.exit_code == 1
    assert [each.row for each in verdict.findings] == ["Credits"]


@pytest.mark.parametrize("name", ["Credits", "CreditTokens"])
def test_places__that_name_another_address__are_refused(
    audited: Audited, files: Files, tmp_path: Path, name: str
) -> None:
    places = msgspec.json.decode(files[PLACES])
    places["contracts"][name] = "0x" + "12" * 20
    forged = {**files, PLACES: write_canonical(places)}

    verdict = verify(audited, put_together(tmp_path / "forged.tar", forged))

    assert verdict.exit_code == 1
    assert "anchor.other_ledger" in verdict.findings.counts


def test_state__that_is_no_list__is_refused(audited: Audited, files: Files, tmp_path: Path) -> None:
    for content in (b"", b"\x80", b"\xc1\xc0", encode_state([])[:0] + b"\xff" * 9):
        forged = {**files, STATE: content}

        verdict = verify(audited, put_together(tmp_path / "forged.tar", forged))

        assert verdict.exit_code == 1
        assert "bundle.unreadable" in verdict.findings.counts


def test_history__rewritten_and_consistent_in_itself__is_refused_by_the_anchor(
    audited: Audited, expired: Audited, tmp_path: Path
) -> None:
    """The same contracts at the same addresses by the same keys, and another history."""
    rewritten = take_apart(expired.bundle)
    places = msgspec.json.decode(rewritten[PLACES])
    assert places["contracts"] == dict(audited.anchor.contracts)
    places["genesis_hash"] = audited.anchor.genesis_hash
    forged = put_together(tmp_path / "forged.tar", {**rewritten, PLACES: write_canonical(places)})
    by_its_own_anchor = verify_bundle(
        expired.bundle, expired.anchor, compiling=Compiled, rules=RULES
    )
    assert set(by_its_own_anchor.findings.counts) == {"expiry.no_policy"}

    verdict = verify(audited, forged)

    assert verdict.exit_code == 1
    assert "anchor.hash" in verdict.findings.counts
    found = next(each for each in verdict.findings if each.code == "anchor.hash")
    assert found.block == audited.anchor.block_number
