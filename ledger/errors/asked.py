"""What was asked cannot be meant, or a contract does not allow it.

InputRefused             what was asked cannot be meant: wrong value, unknown name, bad file
├── InvalidValue
├── InvalidFile
├── CursorInvalid
├── NotFound
├── DemonstrationRefused
├── EvidenceMissing
├── RowsWrong
├── ImportUnfinished
├── AddressRefused
├── EvidenceRefused
├── BackupUnusable
└── RestoreRefused
ContractRefused          a contract's own error, by name and values
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.errors.base import LedgerError


class InputRefused(LedgerError):
    """What was asked cannot be meant."""


class InvalidValue(InputRefused):
    code = "input.invalid_value"
    sentence = "{field}: {value!r} is not {expected}."
    next_step = "Correct {field} and try again."


class InvalidFile(InputRefused):
    code = "input.invalid_file"
    sentence = "{path}, line {line}: {problem}."
    next_step = "Correct the file and run the same command again; nothing of it was used."


class CursorInvalid(InputRefused):
    code = "input.cursor_invalid"
    sentence = "The cursor was not given for this question."
    next_step = "Follow the `next` link as it was given, or start again without a cursor."


class NotFound(InputRefused):
    code = "input.not_found"
    sentence = "There is no {what} {key!r}."
    next_step = "Correct the {what} and try again; the lists show what there is."


class DemonstrationRefused(InputRefused):
    code = "input.demonstration_refused"
    sentence = "The demonstration cannot be added to this ledger: {problem}."
    next_step = (
        "Name a new data folder with MOONLAKE_HOME, or set this ledger aside with "
        "`moonlake up --demo --fresh`."
    )


class EvidenceMissing(InputRefused):
    """The contract takes an entry without evidence; whoever posts one has to say so."""

    code = "input.evidence_missing"
    sentence = "No evidence is named, and none can ever be added to an entry that has none."
    next_step = (
        "Name what shows why (--evidence with a file, or `evidence` with its commitment over "
        "HTTP), or say that there is none (--no-evidence, `no_evidence`)."
    )


class RowsWrong(InputRefused):
    """Rows of a spreadsheet that cannot be brought; what each lacks is shown before."""

    code = "import.rows_wrong"
    sentence = "{wrong} of {rows} rows of {path} are wrong; nothing was sent."
    next_step = "Correct them and run the same command again, or send the others with --skip-wrong."


class ImportUnfinished(InputRefused):
    """Rows stand in an import that was interrupted, and may be sent with it."""

    code = "import.unfinished"
    sentence = (
        "{count} rows of {path} stand in the import {import_id} of {file_name} too, which is not "
        "finished."
    )
    next_step = (
        "Go on with that one (`moonlake import resume {import_id}`), or take back what is not sent "
        "of it (`moonlake import cancel {import_id}`); then run this command again."
    )


class AddressRefused(InputRefused):
    """An address that a webhook may not reach; `why` is what is wrong with it, in words."""

    code = "input.address_refused"
    sentence = "{host} cannot be reached by a webhook: it {why}."
    next_step = (
        "Name a public https address; a network of your own is allowed with "
        "MOONLAKE_WEBHOOK_NETWORKS."
    )
    phrases = frozenset({"why"})


class EvidenceRefused(InputRefused):
    """A document that is not what it says, or in which a scanner found something."""

    code = "input.evidence_refused"
    sentence = "The document was refused: {problem}."
    next_step = "Send another one; nothing of this one was kept."


class BackupUnusable(InputRefused):
    code = "input.backup_unusable"
    sentence = "The backup {path} cannot be used: {problem}."
    next_step = "Name another backup; nothing of this one was put into the database."


class RestoreRefused(InputRefused):
    """A backup would mix with what is there."""

    code = "input.restore_refused"
    sentence = "The database holds {what} already; a backup is restored into an empty one."
    next_step = (
        "Name another database with MOONLAKE_DATABASE_URL, or another data folder with "
        "MOONLAKE_HOME."
    )


class ContractRefused(LedgerError):
    """A contract's own error.

    `name` is its Solidity name, `arguments` its named values as a reader and JSON can hold them,
    `meaning` one sentence that says what they amount to, `hint` what to do next.
    """

    code = "contract.refused"
    sentence = "The contract refused: {name}({shown}).{told}"
    next_step = "{hint}"
    phrases = frozenset({"shown", "meaning", "told", "hint"})

    def __init__(
        self, *, name: str, arguments: Mapping[str, Any], meaning: str = "", hint: str = ""
    ) -> None:
        shown = ", ".join(f"{key}={value}" for key, value in arguments.items())
        super().__init__(
            name=name,
            arguments=dict(arguments),
            shown=shown,
            meaning=meaning,
            told=f" {meaning}" if meaning else "",
            hint=hint,
        )
