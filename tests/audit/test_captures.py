"""Proofs that were kept in time, and an export from a node that has forgotten the state since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from ledger.audit.captures import Captures, capture_state
from ledger.audit.exporting import Exporter
from ledger.chain.headers import check_header
from ledger.chain.rpc import Node
from ledger.config import Settings
from ledger.errors import InvalidFile, NodeAnswerInvalid, NodeRefused, ProofsUnavailable
from ledger.store.mirror_tables import epoch_boundaries
from ledger.wiring import capture_if_due, capture_proofs, captures_of
from tests.audit.conftest import Audited, mirrored_database, say_nothing


def forgotten(url: str) -> NodeRefused:
    """What geth answers where it has pruned the state."""
    return NodeRefused(
        url=url, method="eth_getProof", node_code=-32000, message="missing trie node"
    )


class PrunedNode(Node):
    """A node that still has all blocks, and no state of any."""

    def proof(self, *_: Any) -> Any:
        raise forgotten(self.url)

    def storage(self, *_: Any) -> Any:
        raise forgotten(self.url)


@dataclass(frozen=True)
class Kept:
    settings: Settings
    engine: Engine
    captures: Captures


@pytest.fixture(scope="module")
def kept(audited: Audited, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A mirror of the ledger, with a data folder."""
    home = tmp_path_factory.mktemp("kept")
    url = f"sqlite:///{home / 'moonlake.sqlite3'}"
    with mirrored_database(audited.ledger, url) as (engine, _):
        settings = Settings(
            home=home,
            database_url=url,
            rpc_url=audited.ledger.anvil.url,
            deployment=audited.ledger.path,
        )
        genesis = audited.ledger.deployment.genesis_hash
        yield Kept(settings, engine, captures_of(settings, genesis))


def test_capture__at_an_epochs_end__is_made_once(kept: Kept, audited: Audited) -> None:
    with kept.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(epoch_boundaries)).scalar_one()
    assert kept.captures.newest_time() == 0

    first = capture_if_due(kept.settings, kept.engine)
    second = capture_if_due(kept.settings, kept.engine)

    assert first is not None
    assert second is None
    assert kept.captures.numbers() == [audited.anchor.block_number]


def test_capture__on_demand__is_never_written_again(kept: Kept) -> None:
    path = capture_proofs(kept.settings, kept.engine)
    before = path.stat()

    assert capture_proofs(kept.settings, kept.engine) == path
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert [each for each in path.parent.iterdir() if each.name.startswith(".")] == []


def test_export__from_a_node_without_the_state__takes_what_was_kept(
    kept: Kept, audited: Audited, tmp_path: Path
) -> None:
    capture_proofs(kept.settings, kept.engine)
    last, bundle = audited.anchor.block_number, tmp_path / "bundle.tar"
    with PrunedNode(audited.ledger.anvil.url) as node:
        with pytest.raises(ProofsUnavailable):
            Exporter(node, audited.ledger.deployment, say_nothing).export(bundle, last)
        exporter = Exporter(node, audited.ledger.deployment, say_nothing, kept.captures)
        exporter.export(bundle, last)

    assert bundle.read_bytes() == audited.bundle.read_bytes()


def test_capture__of_another_block__is_not_taken(
    kept: Kept, audited: Audited, tmp_path: Path
) -> None:
    capture_proofs(kept.settings, kept.engine)
    before = audited.anchor.block_number - 1
    with PrunedNode(audited.ledger.anvil.url) as node:
        exporter = Exporter(node, audited.ledger.deployment, say_nothing, kept.captures)
        with pytest.raises(ProofsUnavailable):
            exporter.export(tmp_path / "bundle.tar", before)


@pytest.mark.parametrize("content", [b"", b"\xc0", b"\xc3\x80\xc0\xc0", b"moon", b"\xc2\xc0\xc0"])
def test_capture__whose_file_was_damaged__is_refused(
    audited: Audited, tmp_path: Path, content: bytes
) -> None:
    node, captures = audited.ledger.node, Captures(tmp_path)
    answer = node.header(audited.anchor.block_number)
    header, _ = capture_state(
        node,
        dict(audited.ledger.addresses),
        audited.anchor.block_number,
        programmes=1,
        organisations=1,
        accounts=[],
    )
    assert header == check_header(answer)
    captures.add(header, content)

    with pytest.raises(InvalidFile):
        captures.find(header)


def test_capture__that_was_damaged_since__is_taken_again(
    kept: Kept, audited: Audited, tmp_path: Path
) -> None:
    path, captures = capture_proofs(kept.settings, kept.engine), Captures(tmp_path)
    header = check_header(audited.ledger.node.header(audited.anchor.block_number))
    captures.add(header, b"\xc0")
    (tmp_path / "notes.proofs").write_text("no capture")
    assert captures.newest_time() == 0

    captures.add(header, path.read_bytes())

    assert captures.newest_time() == header.timestamp
    assert captures.numbers() == [header.number]
    captures.add(header, b"\xc0")
    assert captures.newest_time() == header.timestamp


def test_capture__of_another_block_than_its_name__is_refused(
    kept: Kept, audited: Audited, tmp_path: Path
) -> None:
    path, captures = capture_proofs(kept.settings, kept.engine), Captures(tmp_path)
    other = check_header(audited.ledger.node.header(audited.anchor.block_number - 1))
    captures.add(other, path.read_bytes())

    with pytest.raises(InvalidFile):
        captures.find(other)


class LyingNode(Node):
    """A node that tells the word of every slot with its lowest bit turned."""

    def storage(self, places: Any, block: Any) -> list[bytes]:
        return [word[:-1] + bytes([word[-1] ^ 1]) for word in super().storage(places, block)]


def test_node__that_lies_about_balances__gives_no_bundle_and_spoils_none_by_what_was_kept(
    kept: Kept, audited: Audited, tmp_path: Path
) -> None:
    header = check_header(audited.ledger.node.header(audited.anchor.block_number))
    captures, bundle = Captures(tmp_path / "kept"), tmp_path / "bundle.tar"
    with LyingNode(audited.ledger.anvil.url) as node:
        with pytest.raises(NodeAnswerInvalid):
            Exporter(node, audited.ledger.deployment, say_nothing).export(bundle, header.number)
        assert not bundle.exists()
        places = dict(audited.ledger.addresses)
        _, content = capture_state(
            node, places, header.number, programmes=2, organisations=99, accounts=[]
        )
    captures.add(header, content)

    node = audited.ledger.node
    Exporter(node, audited.ledger.deployment, say_nothing, captures).export(bundle, header.number)

    assert bundle.read_bytes() == audited.bundle.read_bytes()
