"""Files that officers sent to be imported, with how their rows were judged, until they say yes.

A draft is a folder in the server's data folder, so that all processes of the machine see it, and
none of its rows is anywhere else: nothing is done by a preview. It belongs to the account that sent
it, goes when the import is written down, and in any case after a day.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from ledger.disks import folder_unusable
from ledger.errors import DiskFull, FolderUnusable, NotFound
from ledger.services.imports.spool import Spool

FOLDER = "imports/previews"
KEPT_SECONDS = 24 * 3600
MOST_OF_ONE = 20
"""Previews that one account has at once; beyond it the oldest goes."""

_NAME = re.compile(r"[0-9a-f]{32}")
_FILE, _ROWS, _ABOUT, _SENT = "file", "rows.sqlite3", "about.json", "sent"


@dataclass(frozen=True, slots=True)
class Draft:
    """A file as it was sent: by whom, as what, with which fields of the form.

    `totals` are what would be sent: a programme's id, rows, credits. `seen` stands for how every
    row was judged when it was shown. `is_sent`: it was confirmed as `import_id`, its file is gone.
    """

    name: str
    account: str
    kind: str
    file_name: str
    given: dict[str, str]
    sent_at: int
    import_id: str = ""
    signer: str = ""
    is_own_key: bool = False
    rows: int = 0
    counts: dict[str, int] | None = None
    totals: tuple[tuple[int, int, int], ...] = ()
    seen: str = ""
    is_sent: bool = False


class Drafts:
    """The drafts of one server's machine."""

    def __init__(self, home: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = home / FOLDER
        self._clock = clock

    def path(self, draft: Draft) -> Path:
        """Where its file is."""
        return self._folder / draft.name / _FILE

    def add(self, draft: Draft, content: BinaryIO) -> Draft:
        """Keep a file. Raises FolderUnusable and DiskFull."""
        self._clear(draft.account)
        kept = replace(draft, name=secrets.token_hex(16), sent_at=int(self._clock()))
        folder = self._folder / kept.name
        try:
            folder.mkdir(parents=True, mode=0o700)
            with (folder / _FILE).open("xb") as file:
                shutil.copyfileobj(content, file, 1024 * 1024)
            self._write(kept)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise folder_unusable(folder, error) from error
        return kept

    @contextmanager
    def judging(self, draft: Draft) -> Iterator[Spool]:
        """Rows to be judged anew, which are shown from then on if that comes to an end.

        Raises NotFound where the draft went before that, FolderUnusable and DiskFull.
        """
        folder = self._folder / draft.name
        path = folder / f"{secrets.token_hex(4)}.{_ROWS}"
        try:
            with self._spool(draft, path) as spool:
                yield spool
            # What went meanwhile is not shown again; what was written down of it stays written.
            with suppress(FileNotFoundError):
                if not (folder / _SENT).exists():
                    path.replace(folder / _ROWS)
        finally:
            path.unlink(missing_ok=True)

    def _spool(self, draft: Draft, path: Path) -> Spool:
        try:
            return Spool(path)
        except sqlite3.OperationalError as error:
            if not path.parent.is_dir():  # dropped in another window, or too many came after it
                raise _missing(draft.name) from None
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise DiskFull(what=path.parent) from error
            raise FolderUnusable(path=path.parent, problem=str(error)) from error

    def keep(self, draft: Draft) -> None:
        """Note how it was judged. Raises FolderUnusable and DiskFull, NotFound where it went."""
        try:
            self._write(draft)
        except FileNotFoundError:
            raise _missing(draft.name) from None
        except OSError as error:
            raise folder_unusable(self._folder / draft.name, error) from error

    def find(self, name: str, account: str) -> Draft:
        """A draft of an account. Raises NotFound, also where it is another's."""
        missing = _missing(name)
        if not _NAME.fullmatch(name):
            raise missing
        try:
            found = json.loads((self._folder / name / _ABOUT).read_bytes())
        except (OSError, ValueError):
            raise missing from None
        totals = tuple((each[0], each[1], each[2]) for each in found.pop("totals"))
        draft = Draft(**found, totals=totals)
        with suppress(OSError):
            sent = (self._folder / name / _SENT).read_text("ascii")
            draft = replace(draft, is_sent=True, import_id=sent)
        if draft.account != account or self._is_old(draft.sent_at):
            raise missing
        return draft

    @contextmanager
    def rows(self, draft: Draft) -> Iterator[Spool]:
        """How its rows were judged, to be read. Raises NotFound where it went meanwhile."""
        try:
            spool = Spool.reopened(self._folder / draft.name / _ROWS)
        except sqlite3.OperationalError:
            raise _missing(draft.name) from None
        with spool:
            yield spool

    def close(self, draft: Draft) -> None:
        """It is written down as an import: its file and its rows go.

        That it is noted beside what it was judged as, which another window may be noting again.
        Whatever becomes of the note, the import stands, and its rows tell of it too.
        """
        with suppress(OSError):
            self._note(draft, _SENT, draft.import_id)
        for name in (_FILE, _ROWS):
            (self._folder / draft.name / name).unlink(missing_ok=True)

    def drop(self, draft: Draft) -> None:
        """Forget it altogether."""
        shutil.rmtree(self._folder / draft.name, ignore_errors=True)

    def _write(self, draft: Draft) -> None:
        self._note(draft, _ABOUT, json.dumps(asdict(draft), ensure_ascii=False))

    def _note(self, draft: Draft, name: str, text: str) -> None:
        path = self._folder / draft.name / name
        beside = path.with_suffix(f".{secrets.token_hex(4)}")
        try:
            beside.write_text(text, "utf-8")
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise

    def _clear(self, account: str) -> None:
        """Take away what is too old, and the oldest of an account that has too many."""
        own: list[tuple[int, str]] = []
        for name in self._names():
            found = self._glance(name)
            if self._is_old(found.get("sent_at", 0)):
                shutil.rmtree(self._folder / name, ignore_errors=True)
            elif found.get("account") == account:
                own.append((found["sent_at"], name))
        for _, name in sorted(own)[: max(0, len(own) - MOST_OF_ONE + 1)]:
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def _names(self) -> list[str]:
        try:
            return [each.name for each in self._folder.iterdir() if _NAME.fullmatch(each.name)]
        except OSError:
            return []

    def _glance(self, name: str) -> dict[str, Any]:
        """What is noted of a draft; of one that was just begun, only how old its folder is."""
        folder = self._folder / name
        try:
            found: dict[str, Any] = json.loads((folder / _ABOUT).read_bytes())
        except (OSError, ValueError):
            try:
                return {"sent_at": folder.stat().st_mtime}
            except OSError:
                return {"sent_at": self._clock()}
        return found

    def _is_old(self, sent_at: float) -> bool:
        return sent_at < self._clock() - KEPT_SECONDS


def _missing(name: str) -> NotFound:
    return NotFound(what="preview of an import", key=name[:40])
