"""What one organisation has, proved by a file of its own; and files that somebody changed."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from ledger.audit.certificates import Certificate, read_certificate, verify_certificate
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.errors import CertificateUnreadable
from tests.audit.conftest import Audited


def test_certificate__of_an_organisation__says_what_the_contracts_say(
    audited: Audited, tmp_path: Path
) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(audited.certificate)

    found = read_certificate(path)
    header, findings = verify_certificate(found, audited.anchor)

    contracts = audited.ledger.contracts
    assert findings.exit_code == 0
    assert header.number == audited.anchor.block_number
    assert len(found.standings) == contracts.programmes.programme_count(at="latest")
    for each in found.standings:
        programme, org = ProgrammeId(each.programme_id), OrgId(audited.org_id)
        assert each.balance == contracts.credits.balance_of(programme, org, at="latest")
        held = contracts.memberships.read("membership", programme, org, at="latest")
        said = {"status": each.status, "tier": each.tier, "expiresAt": each.expires_at}
        assert said == {name: held[name] for name in said}
    assert any(each.balance for each in found.standings)


def test_certificate__without_an_anchor__is_incomplete(audited: Audited, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(audited.certificate)

    _, findings = verify_certificate(read_certificate(path), None)

    assert findings.exit_code == 2


def test_certificate__of_another_block_than_the_anchors__is_incomplete(
    audited: Audited, tmp_path: Path
) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(audited.certificate)
    other = msgspec.structs.replace(audited.anchor, block_number=1)

    _, findings = verify_certificate(read_certificate(path), other)

    assert findings.exit_code == 2


def test_certificate__with_one_bit_flipped_anywhere__is_never_accepted(
    audited: Audited, tmp_path: Path, flips: int
) -> None:
    path, chance, accepted = tmp_path / "flipped.json", random.Random(9), []
    for _ in range(flips):
        changed = bytearray(audited.certificate)
        at, bit = chance.randrange(len(changed)), chance.randrange(8)
        changed[at] ^= 1 << bit
        path.write_bytes(changed)
        if _is_accepted(path, audited):
            accepted.append((at, bit))

    assert accepted == []


@pytest.mark.parametrize("field", ["balance", "status", "tier", "since", "expires_at"])
def test_certificate__of_another_standing__is_refused(
    audited: Audited, tmp_path: Path, field: str
) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(audited.certificate)
    found = read_certificate(path)
    first = found.standings[0]
    changed = msgspec.structs.replace(first, **{field: getattr(first, field) + 1})
    forged = msgspec.structs.replace(found, standings=[changed, *found.standings[1:]])

    _, findings = verify_certificate(forged, audited.anchor)

    assert set(findings.counts) == {"certificate.differs"}


def test_certificate__that_leaves_a_programme_out__is_refused(
    audited: Audited, tmp_path: Path
) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(audited.certificate)
    found = read_certificate(path)
    proofs = {
        name: msgspec.structs.replace(each, slots=each.slots[:-1])
        if name in ("Credits", "Memberships")
        else each
        for name, each in found.proofs.items()
    }
    forged = msgspec.structs.replace(found, standings=found.standings[:-1], proofs=proofs)

    _, findings = verify_certificate(forged, audited.anchor)

    assert findings.exit_code == 1


def test_certificate__of_another_organisation__is_refused(audited: Audited, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(audited.certificate)
    forged: Certificate = msgspec.structs.replace(read_certificate(path), org_id=3)

    _, findings = verify_certificate(forged, audited.anchor)

    assert findings.exit_code == 1


def _is_accepted(path: Path, audited: Audited) -> bool:
    try:
        _, findings = verify_certificate(read_certificate(path), audited.anchor)
    except (CertificateUnreadable, ValueError):
        return False
    return findings.exit_code == 0
