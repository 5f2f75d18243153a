"""The two verifiers of certificates, Python's and JavaScript's, held against each other."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.audit.anchors import Anchor, describe_anchor
from ledger.audit.certificates import read_certificate, verify_certificate
from ledger.chain.immutables import Placement, runtime_code
from ledger.chain.keccak import keccak256
from ledger.chain.toolchain import find_node
from ledger.domain.commitments import canonical_json
from ledger.errors import CertificateUnreadable
from tests.audit.conftest import Audited

PROVED = ("Programmes", "Organisations", "Memberships", "Credits")
ORACLE = Path(__file__).with_name("certificate_oracle.mjs")


class Oracle:
    """The verifier in JavaScript, asked many times of one process."""

    def __init__(self, audited: Audited) -> None:
        deployment = audited.ledger.deployment
        placement = Placement(
            deployment.chain_id, deployment.recovery_delay, audited.ledger.addresses
        )
        self._hashes = {
            name: "0x" + keccak256(runtime_code(name, placement)).hex() for name in PROVED
        }
        self._recovery_delay = deployment.recovery_delay
        self._process = subprocess.Popen(
            [find_node(), ORACLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, content: bytes, anchor: Anchor, *, browser: bool = True) -> dict[str, Any]:
        question = {
            "browser": browser,
            "text": content.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode(),
            "anchor": describe_anchor(anchor),
            "codeHashes": self._hashes,
            "recoveryDelay": self._recovery_delay,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait() == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="module")
def oracle(audited: Audited) -> Iterator[Oracle]:
    found = Oracle(audited)
    yield found
    found.close()


def is_accepted(content: bytes, anchor: Anchor, path: Path) -> bool:
    path.write_bytes(content)
    try:
        _, findings = verify_certificate(read_certificate(path), anchor)
    except (CertificateUnreadable, ValueError):
        return False
    return findings.exit_code == 0


def test_certificate__that_is_honest__is_accepted_by_both(
    audited: Audited, oracle: Oracle, tmp_path: Path
) -> None:
    assert is_accepted(audited.certificate, audited.anchor, tmp_path / "one.json")
    found = oracle.ask(audited.certificate, audited.anchor)

    assert found == {"verdict": "correct", "problem": "", "library": True}


def test_certificate__with_bits_flipped__is_refused_by_both(
    audited: Audited, oracle: Oracle, tmp_path: Path, flips: int
) -> None:
    chance, accepted = random.Random(12), []
    for _ in range(flips):
        changed = bytearray(audited.certificate)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(7)
        content = bytes(changed)
        by_python = is_accepted(content, audited.anchor, tmp_path / "one.json")
        # A browser's hashing takes a tenth of a second of each; one in ten will do.
        answer = oracle.ask(content, audited.anchor, browser=chance.random() < 0.1)
        if by_python or answer["verdict"] != "wrong":
            accepted.append(content)

    assert accepted == []


def rewritten(content: bytes, change: Any) -> bytes:
    """The certificate after a change of its values, in canonical form again."""
    found = json.loads(content)
    change(found)
    return canonical_json(found) + b"\n"


def _pad(found: Any) -> None:
    found["proofs"]["Credits"]["account"].append("0x80")


def _reorder(found: Any) -> None:
    found["proofs"]["Credits"]["account"].reverse()


def _repeat(found: Any) -> None:
    nodes = found["proofs"]["Credits"]["account"]
    nodes.insert(0, nodes[0])


def _cut(found: Any) -> None:
    found["proofs"]["Memberships"]["slots"][0].pop()


def _swap(found: Any) -> None:
    slots = found["proofs"]["Credits"]["slots"]
    slots[0], slots[-1] = slots[-1], slots[0]


def _leave_out(found: Any) -> None:
    found["standings"].pop()
    found["proofs"]["Credits"]["slots"].pop()
    found["proofs"]["Memberships"]["slots"].pop()


def _more(found: Any) -> None:
    found["standings"][0]["balance"] += 1


def _far(found: Any) -> None:
    found["standings"][0]["balance"] += 2**64


def _other(found: Any) -> None:
    found["org_id"] += 1


def _huge(found: Any) -> None:
    found["org_id"] = 2**80


def _controller(found: Any) -> None:
    found["controller"] = "0x" + "11" * 20


def _upper(found: Any) -> None:
    found["header"] = found["header"].upper().replace("0X", "0x")


def _delay(found: Any) -> None:
    found["recovery_delay"] += 1


def _delay_in_words(found: Any) -> None:
    found["recovery_delay"] = "three days"


def _joined(found: Any) -> None:
    proof = found["proofs"]["Credits"]
    found["proofs"]["Credits"] = {"account,slots": proof["account"]}


def _text(found: Any) -> None:
    found["proofs"]["Credits"]["account"][0] = "0xé"


CHANGES: Sequence[Any] = (
    *(_pad, _reorder, _repeat, _cut, _swap, _leave_out, _more, _far),
    *(_other, _huge, _controller, _upper, _text, _delay, _delay_in_words, _joined),
)


@pytest.mark.parametrize("change", CHANGES)
def test_certificate__that_somebody_changed__is_refused_by_both(
    audited: Audited, oracle: Oracle, tmp_path: Path, change: Any
) -> None:
    content = rewritten(audited.certificate, change)

    assert not is_accepted(content, audited.anchor, tmp_path / "one.json")
    assert oracle.ask(content, audited.anchor)["verdict"] == "wrong"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b'{"proofs":null}\n',
        b"{" * 50_000,
        b'"\xff"\n',
        b"1e999\n",
    ],
)
def test_certificate__that_is_none__is_refused_by_both(
    audited: Audited, oracle: Oracle, tmp_path: Path, content: bytes
) -> None:
    assert not is_accepted(content, audited.anchor, tmp_path / "one.json")
    assert oracle.ask(content, audited.anchor)["verdict"] == "wrong"


def test_certificate__of_another_block_than_the_anchors__is_refused_by_both(
    audited: Audited, oracle: Oracle, tmp_path: Path
) -> None:
    for changed in (
        {"block_number": 1},
        {"block_hash": "0x" + "11" * 32},
        {"chain_id": 2},
        {"contracts": {**audited.anchor.contracts, "Credits": "0x" + "11" * 20}},
    ):
        anchor = msgspec.structs.replace(audited.anchor, **changed)
        assert not is_accepted(audited.certificate, anchor, tmp_path / "one.json")
        assert oracle.ask(audited.certificate, anchor)["verdict"] == "wrong"
