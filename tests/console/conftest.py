"""Chromium on a server of the seeded ledger; whatever it complains about fails the test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import update

from ledger.store.engine import open_engine, writing
from ledger.store.office_tables import evidence_files, labels, profiles
from tests.http.conftest import NOW, Ledger, Templates, serving, settings_for

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A seeded ledger in SQLite."""

    def no_cluster() -> None:
        raise AssertionError("SQLite needs no cluster")

    templates = Templates(tmp_path_factory.mktemp("templates"), no_cluster)  # type: ignore[arg-type]
    return templates.copy("sqlite", tmp_path_factory.mktemp("console"))


@pytest.fixture(scope="session")
def site(seeded: Ledger) -> Iterator[str]:
    """The address of a server of the seeded ledger."""
    with serving(seeded.settings, lambda: NOW + 1) as client:
        yield str(client.base_url)


@pytest.fixture(scope="session")
def wordy(seeded: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ledger, str]]:
    """A ledger in which all that people wrote is one long word, and the address of its server."""
    home = tmp_path_factory.mktemp("wordy")
    shutil.copytree(seeded.settings.home, home, dirs_exist_ok=True)
    ledger = Ledger(settings_for(home, f"sqlite:///{home / 'ledger.sqlite3'}"), seeded.seeded)
    word = "n" * 200
    texts = (profiles.c.name_zh, profiles.c.name_en, profiles.c.segment, profiles.c.note)
    about = json.dumps({"role_zh": word, "role_en": f"https://example.org/{word}"}).encode()
    engine = open_engine(ledger.settings.database)
    with writing(engine) as connection:
        connection.execute(
            update(profiles).values({**dict.fromkeys(texts, word), profiles.c.document: about})
        )
        connection.execute(update(labels).values(name_zh=word, name_en=word))
        connection.execute(update(evidence_files).values(title_zh=word, title_en=word))
    engine.dispose()
    with serving(ledger.settings, lambda: NOW + 1) as client:
        yield ledger, str(client.base_url).rstrip("/")


@pytest.fixture
def visit(browser: Browser, site: str, tmp_path: Path) -> Iterator[Visit]:
    """Opens a path as some reader; fails at the end if the browser complained or went elsewhere."""
    complaints: list[str] = []
    contexts = []

    def open_page(
        path: str,
        *,
        width: int = 1280,
        language: str = "zh-CN",
        scheme: str = "light",
        javascript: bool = True,
        expected: int = 200,
        address: str = site,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            locale=language,
            color_scheme=scheme,
            java_script_enabled=javascript,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "requestfailed",
            lambda request: (
                None
                if request.failure == "net::ERR_ABORTED"  # the reader went on before it was there
                else complaints.append(f"failed: {request.url}: {request.failure}")
            ),
        )
        page.on(
            "console",
            lambda said: (
                complaints.append(f"console: {said.text}")
                if said.type in {"error", "warning"} and "status of" not in said.text
                else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(address)
                else complaints.append(f"elsewhere: {request.url}")
            ),
        )
        answer = page.goto(address + path)
        assert answer is not None
        assert answer.status == expected
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
