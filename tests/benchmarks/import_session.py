"""Records a terminal session: 10,000 awards are imported, killed half-way, and finished.

    python -m tests.benchmarks.import_session [--write]

It starts `moonlake up --demo` in a data folder of its own, runs each command as a person would,
kills the import (SIGKILL) once a third of its rows are on the chain, and prints what a terminal
showed. With --write it puts that into docs/import.md. It ends with an error where a row was not
credited exactly once, so that no other session can be written down.
"""

from __future__ import annotations

import argparse
import csv
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from ledger.config import Settings
from ledger.processes import own_environment
from ledger.store.engine import open_engine, reading
from ledger.store.import_tables import import_batches
from ledger.store.mirror_tables import entries
from tests.support.devnet import MOONLAKE
from tests.support.stacks import moonlake_json, running_stack, stack_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "import.md"
BEGIN, END = "<!-- session: python -m tests.benchmarks.import_session --write -->", "<!-- end -->"
ROWS = 10_000
OPTIONS = ("awards.csv", "--programme", "community", "--no-evidence", "--as", "council")
CATEGORIES = ("data.acquire", "satellite.manufacture", "launch.service")


class Session:
    """A terminal in one folder; `said` is what it showed."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.said = ""
        self._settings = settings
        self._folder = folder

    def run(self, *arguments: str) -> int:
        """Run a command to its end."""
        process = self._start(*arguments)
        return self._show(process)

    def kill_half_way(self, *arguments: str, done: int) -> None:
        """Run a command and kill it once so many rows are on the chain."""
        process = self._start(*arguments)
        engine = open_engine(self._settings.database)
        query = select(func.sum(import_batches.c.row_count)).where(import_batches.c.state == "done")
        try:
            while process.poll() is None:
                with reading(engine) as connection:
                    if (connection.execute(query).scalar() or 0) >= done:
                        process.send_signal(signal.SIGKILL)
                        break
                time.sleep(0.005)
        finally:
            engine.dispose()
        if self._show(process) != -signal.SIGKILL:
            raise SystemExit(f"the import was done before it was killed:\n{self.said}")
        self.said += "Killed\n"

    def shell(self, command: str) -> None:
        """Run a command of the system."""
        self.said += f"$ {command}\n"
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=self._folder, capture_output=True, text=True, check=True
        )
        self.said += done.stdout

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        self.said += f"$ moonlake {' '.join(arguments)}\n"
        return subprocess.Popen(
            [*MOONLAKE, *arguments],
            cwd=self._folder,
            env=own_environment(**self._settings.as_environment()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _show(self, process: subprocess.Popen[str]) -> int:
        said, _ = process.communicate(timeout=300)
        self.said += said.replace(f"{self._folder}/", "")
        return process.returncode


def record(settings: Settings, folder: Path) -> str:
    """The session, as text."""
    session = Session(settings, folder)
    members = _members(settings)
    with (folder / "awards.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("编号", "机构", "数额", "类别"))
        for number in range(ROWS):
            member = members[number % len(members)]
            category = CATEGORIES[number % len(CATEGORIES)]
            writer.writerow((f"2027-{number + 1:05}", member, 1 + number % 40, category))
    before = _entries(settings)
    session.shell("head -n 3 awards.csv")
    session.run("import", "awards", *OPTIONS, "--preview")
    session.kill_half_way("import", "awards", *OPTIONS, done=ROWS // 3)
    session.run("import", "list")
    if session.run("import", "awards", *OPTIONS) != 0:
        raise SystemExit(f"the import was not finished:\n{session.said}")
    session.shell("head -n 3 awards.results.csv; wc -l awards.results.csv")
    session.run("import", "awards", *OPTIONS)
    _wait_for(settings, before + ROWS)
    return session.said


def _members(settings: Settings) -> list[str]:
    found = moonlake_json(settings, "org", "list", "--programme", "community")["organisations"]
    return [
        each["profile"]["key"]
        for each in found
        if any(
            held["programme"] == "community" and held["standing"] == "active"
            for held in each["memberships"]
        )
    ]


def _entries(settings: Settings) -> int:
    engine = open_engine(settings.database)
    try:
        with reading(engine) as connection:
            return int(connection.execute(select(func.count()).select_from(entries)).scalar_one())
    finally:
        engine.dispose()


def _wait_for(settings: Settings, expected: int) -> None:
    """Return when the mirror has just so many entries; fail where it has more, or never."""
    deadline = time.monotonic() + 60
    while (found := _entries(settings)) < expected and time.monotonic() < deadline:
        time.sleep(0.1)
    if found != expected:
        raise SystemExit(f"{found} entries instead of {expected}")


def write_down(said: str) -> None:
    """Put the session into the document."""
    document = DOCUMENT.read_text("utf-8")
    block = f"{BEGIN}\n\n```text\n{said}```\n\n{END}"
    changed = re.sub(
        re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: block, document, flags=re.DOTALL
    )
    DOCUMENT.write_text(changed, "utf-8")


def main() -> None:
    """Record, and print or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "desk"
        folder.mkdir()
        settings = stack_settings(Path(name) / "home")
        with running_stack(settings, "--demo") as stack:
            stack.wait_until_ready()
            said = record(settings, folder)
    if arguments.write:
        write_down(said)
    else:
        print(said)  # noqa: T201


if __name__ == "__main__":
    main()
