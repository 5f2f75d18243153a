"""Files made to break a verifier: too large in memory, odd in numbers, poison for a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest

from ledger.audit.bundle import (
    CLAIMS,
    PLACES,
    SOURCES,
    STATE,
    AccountState,
    encode_bare_record,
)
from ledger.audit.certificates import read_certificate, verify_certificate
from ledger.audit.options import read_options
from ledger.audit.report import render_report
from ledger.audit.verify import Verdict, verify_bundle
from ledger.chain.rlp import NotCanonical, decode, encode, encode_list
from ledger.domain.commitments import canonical_json
from ledger.errors import CertificateUnreadable, InvalidValue
from tests.audit.conftest import POLICY, RULES, Audited, Compiled
from tests.audit.forging import (
    Files,
    change_state,
    join_records,
    put_together,
    records_of,
    take_apart,
)


@pytest.fixture(scope="module")
def files(audited: Audited) -> Files:
    return take_apart(audited.bundle)


def verify(audited: Audited, path: Path, compiling: Any = Compiled) -> Verdict:
    return verify_bundle(path, audited.anchor, compiling=compiling, policy=POLICY, rules=RULES)


@pytest.mark.parametrize(
    "content",
    [
        encode_list([b"\xc0"] * (3 << 19)),
        encode_list([encode_list([b"\xc0"] * 50)] * (1 << 15)),
        encode_list([b"\x80"] * (3 << 19)),
        encode_list([b"\x81\x80"] * (3 << 19)),
    ],
    ids=["lists", "lists in lists", "empty strings", "short strings"],
)
def test_rlp__of_millions_of_items__is_refused_before_it_takes_memory(content: bytes) -> None:
    with mock.patch("ledger.chain.rlp._decode_at") as decoding, pytest.raises(NotCanonical):
        decode(content)

    assert not decoding.called


def test_state__that_would_fill_memory__is_refused(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    forged = put_together(
        tmp_path / "forged.tar", {**files, STATE: encode_list([b"\xc0"] * (3 << 19))}
    )

    verdict = verify(audited, forged)

    assert set(verdict.findings.counts) == {"bundle.unreadable"}


def test_claims__of_millions_of_balances__are_refused(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    content = b'{"balances":[' + b",".join([b"[1,1,1]"] * (9 << 18)) + b'],"totals":[]}\n'
    forged = put_together(tmp_path / "forged.tar", {**files, CLAIMS: content})

    verdict = verify(audited, forged)

    assert set(verdict.findings.counts) == {"bundle.unreadable"}


@pytest.mark.parametrize("field", ["chain_id", "recovery_delay"])
@pytest.mark.parametrize("value", [-1, 2**64, 2**300])
def test_places__with_numbers_that_are_none__are_refused(
    audited: Audited, files: Files, tmp_path: Path, field: str, value: int
) -> None:
    places = {**msgspec.json.decode(files[PLACES]), field: value}
    forged = put_together(
        tmp_path / "forged.tar", {**files, PLACES: canonical_json(places) + b"\n"}
    )

    verdict = verify(audited, forged)

    assert verdict.exit_code == 1
    assert "bundle.unreadable" in verdict.findings.counts


def test_sources__of_somebody_else__are_given_to_no_compiler(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    given: list[bytes] = []

    def compiling(standard_input: bytes) -> Compiled:
        given.append(standard_input)
        return Compiled(standard_input)

    forged = put_together(tmp_path / "forged.tar", {**files, SOURCES: b"{}"})
    verdict = verify(audited, forged, compiling)

    assert given == []
    assert "code.sources" in verdict.findings.counts
    assert verify(audited, audited.bundle, compiling).exit_code == 0
    assert len(given) == 1


def test_manifest__with_escapes_for_a_terminal__is_refused(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    manifest = json.loads(files["manifest.json"])
    manifest["last_hash"] = "0x\x1b[2J" + "0" * 60
    changed = {**files, "manifest.json": canonical_json(manifest) + b"\n"}

    verdict = verify(audited, put_together(tmp_path / "forged.tar", changed))

    assert set(verdict.findings.counts) == {"bundle.unreadable"}
    assert verdict.last_hash == ""


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": -1},
        {"chain_id": 2**300},
        {"recovery_delay": -1},
        {"recovery_delay": 2**300},
        {"org_id": 2**300},
        {"org_id": -7},
        {"controller": "\x1b[2Jsomebody that we never were in a life"},
        {"controller": "0x" + "zz" * 20},
        {"header": "0xc0"},
        {"header": "0x" + "c1" * 4000},
        {"contracts": {}},
        {"standings": []},
    ],
)
def test_certificate__with_odd_values__is_refused_and_breaks_nothing(
    audited: Audited, tmp_path: Path, change: dict[str, Any]
) -> None:
    file = tmp_path / "certificate.json"
    found = {**json.loads(audited.certificate), **change}
    file.write_bytes(canonical_json(found) + b"\n")

    try:
        _, findings = verify_certificate(read_certificate(file), audited.anchor)
    except (CertificateUnreadable, ValueError):
        return
    assert findings.exit_code == 1


@pytest.mark.parametrize(
    "weight", ["1e999999999", "1.5", " 1", "1/0", "-1", "９", "1" * 5000, "1_000", "inf"]
)
def test_rule__whose_fraction_would_be_computed_for_hours__is_refused(weight: str) -> None:
    rule = {**json.loads(RULES[0].to_json()), "default_weight": weight}

    with pytest.raises(InvalidValue):
        read_options(json.dumps({"share_rules": [rule]}))


def test_records__that_are_headers_of_nothing__are_refused(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    records = records_of(files)
    for header in (b"", b"\xc0", b"\xff" * 600, records[0][0] + b"\0"):
        forged = {**files, "blocks.rlp": encode_bare_record(header)}
        verdict = verify(audited, put_together(tmp_path / "forged.tar", forged))
        assert verdict.exit_code == 1
        assert "blocks.unreadable" in verdict.findings.counts


@pytest.mark.parametrize("field", [8, 11], ids=["number", "time"])
@pytest.mark.parametrize("place", [0, 5, -1])
def test_header__with_a_number_that_no_text_can_hold__is_refused_and_can_be_reported(
    audited: Audited, files: Files, tmp_path: Path, field: int, place: int
) -> None:
    records = records_of(files)
    header = decode(records[place][0])
    assert isinstance(header, list)
    header[field] = b"\x01" * 3000
    records[place][0] = encode(header)

    forged = {**files, "blocks.rlp": join_records(records)}
    verdict = verify(audited, put_together(tmp_path / "forged.tar", forged))

    assert set(verdict.findings.counts) == {"blocks.unreadable"}
    assert "Wrong" in render_report(verdict)


def test_state__with_an_accounts_slots_in_another_order__is_refused(
    audited: Audited, files: Files, tmp_path: Path
) -> None:
    def turn(states: list[AccountState]) -> list[AccountState]:
        first, *others = states
        slots = dict(reversed(list(first.slots.items())))
        return [replace(first, slots=slots), *others]

    forged = put_together(tmp_path / "forged.tar", change_state(files, turn))

    assert verify(audited, forged).findings.counts == {"state.order": 1}
