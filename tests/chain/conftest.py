"""A deployed ledger for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.anvil import Anvil
from tests.support.ledger import Ledger, running_ledger


@pytest.fixture(scope="session")
def ledger(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger that all tests of this worker write to."""
    with running_ledger(anvil, tmp_path_factory.mktemp("ledger")) as running:
        yield running
