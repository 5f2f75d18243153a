"""A deployed ledger, and a chain of all shapes, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chain.varied_chain import VariedChain
from tests.support.anvil import Anvil, running_anvil
from tests.support.ledger import Ledger, running_ledger


@pytest.fixture(scope="session")
def ledger(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger that all tests of this worker write to."""
    with running_ledger(anvil, tmp_path_factory.mktemp("ledger")) as running:
        yield running


@pytest.fixture(scope="session")
def varied_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VariedChain]:
    """A chain of every type of transaction and log, which no test writes to."""
    with running_anvil(tmp_path_factory.mktemp("varied")) as running:
        chain = VariedChain(running)
        yield chain
        chain.node.close()
