"""What several tests of the chain's proofs share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chain.varied_chain import VariedChain
from tests.support.anvil import running_anvil


@pytest.fixture(scope="session")
def varied_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VariedChain]:
    """A chain of many shapes that no test writes to."""
    with running_anvil(tmp_path_factory.mktemp("varied")) as running:
        chain = VariedChain(running)
        yield chain
        chain.node.close()
