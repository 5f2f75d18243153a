"""How soon pages of the console are painted, what they load, and whether they jump.

Against a site that runs with a devnet's data folder, such as `scripts/demo`: each look in a window
of its own, so that nothing is in its cache; signed in where a page is somebody's own. The times are
absolute, so that only those of one machine at rest can be compared.

    python -m tests.benchmarks.console_paint http://127.0.0.1:8000 --home .moonlake
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from ledger.chain.addresses import show_address
from ledger.chain.keystores import key_folder, open_signer, read_password
from ledger.chain.signers import LocalSigner, personal_digest
from ledger.config import Settings
from ledger.wiring import CONTROLLERS_FOLDER, CONTROLLERS_SEED
from tests.conftest import CHROMIUM_FLAGS
from tests.console.measuring import measure

MEMBER, OFFICER = "member", "officer"
PAGES = {
    "register": ("/", ""),
    "organisation": ("/organisations/4", ""),
    "my page": ("/me", MEMBER),
    "desk": ("/desk", OFFICER),
    "audit": ("/audit", ""),
}


def wallets_of(settings: Settings) -> dict[str, LocalSigner]:
    """A member's and an officer's account of the demonstration."""
    folder, password = key_folder(settings), read_password(settings)
    seed = open_signer(folder / CONTROLLERS_FOLDER, CONTROLLERS_SEED, password)
    return {
        MEMBER: seed.derive(b"galaxyspace"),
        OFFICER: open_signer(folder, "registrar", password),
    }


def session(browser: Browser, address: str, wallet: LocalSigner) -> Any:
    """What a browser keeps of having signed in."""
    context = browser.new_context()
    account = show_address(wallet.address)
    given = context.request.get(f"{address}/v1/sign-in/nonce?address={account}").json()
    signature = "0x" + wallet.sign_digest(personal_digest(given["message"])).hex()
    body = {"message": given["message"], "signature": signature}
    answer = context.request.post(f"{address}/v1/sessions", data=body)
    assert answer.ok, answer.text()
    kept = context.storage_state()
    context.close()
    return kept


def look(browser: Browser, address: str, width: int, kept: Any) -> dict[str, Any]:
    """Open an address in a window that was never here."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, locale="zh-CN", storage_state=kept
    )
    page = context.new_page()
    page.goto(address, wait_until="load")
    page.wait_for_timeout(500)  # what comes late may still move the page
    found = measure(page)
    context.close()
    return {**found, "bytes": sum(found["resources"].values())}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """Print a row a page: first contentful paint (median, worst), bytes, layout shift."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("address", help="the site, such as http://127.0.0.1:8000")
    parser.add_argument("--home", type=Path, default=Path(".moonlake"), help="its data folder")
    parser.add_argument("--repeat", type=int, default=7, help="looks at each page and width")
    chosen = parser.parse_args()
    address = chosen.address.rstrip("/")
    wallets = wallets_of(Settings(home=chosen.home))
    program = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        kept = {who: session(browser, address, wallet) for who, wallet in wallets.items()}
        say("| page | px | first paint, median | worst | script and style | layout shift |")
        say("| --- | --- | --- | --- | --- | --- |")
        for name, (path, who) in PAGES.items():
            for width in (390, 1280):
                found = [
                    look(browser, address + path, width, kept.get(who))
                    for _ in range(chosen.repeat)
                ]
                paints = [each["paint"] for each in found]
                say(
                    f"| {name} | {width} | {statistics.median(paints):.0f} ms"
                    f" | {max(paints):.0f} ms | {found[0]['bytes'] / 1024:.0f} KB"
                    f" | {max(each['shift'] for each in found):.4f} |"
                )
        browser.close()


if __name__ == "__main__":
    main()
