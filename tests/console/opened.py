"""A server over a chain of its own, and its pages in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from ledger.chain.contracts.credits import encode_award
from ledger.domain.commands import Award
from tests.http.working import Working, working
from tests.support.anvil import Anvil
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, running_ledger


@dataclass
class Opened:
    """The site, and a window of a reader whose language is English."""

    at_work: Working
    context: BrowserContext
    address: str

    def page(self, path: str) -> Page:
        """A tab at this path."""
        found = self.context.new_page()
        found.goto(self.address + path)
        return found

    def award(self, amount: int) -> None:
        """Award the member, and bring the mirror to the chain's head."""
        ledger = self.at_work.ledger
        calldata = encode_award(PROGRAMME, [Award(MEMBER, amount, CATEGORY)], ledger.operation())
        ledger.do(ledger.contracts.credits.address, calldata)
        self.at_work.look()


@contextmanager
def opened_site(
    anvil: Anvil, folder: Path, browser: Browser, *, keys: str = ""
) -> Iterator[Opened]:
    """A site whose server signs with these keys."""
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    with (
        running_ledger(anvil, folder) as ledger,
        working(ledger, folder, url, keys=keys) as at_work,
    ):
        context = browser.new_context(locale="en-GB")
        yield Opened(at_work, context, str(at_work.client().base_url).rstrip("/"))
        context.close()
