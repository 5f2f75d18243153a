"""The machine or its settings lack something.

SetupProblem
├── InvalidSetting
├── ToolMissing
├── PortInUse
├── FolderUnusable
├── DiskFull
├── ResultsUnwritten
├── DatabaseUnusable
├── DatabaseDamaged
├── AlreadyRunning
├── NotDeployed
├── DeploymentBegun
├── DeploymentUnreadable
├── DeployerBusy
├── KeyMissing
├── KeyExists
├── KeyLocked
├── PasswordUnusable
├── CompilationFailed
└── ArtifactsStale
"""

from __future__ import annotations

from ledger.errors.base import LedgerError


class SetupProblem(LedgerError):
    """The machine or its settings lack something."""


class InvalidSetting(SetupProblem):
    code = "setup.invalid_setting"
    sentence = "Setting {setting}: {problem}."
    next_step = (
        "Correct it in the environment, in .env or on the command line; "
        "the README lists all settings."
    )


class ToolMissing(SetupProblem):
    code = "setup.tool_missing"
    sentence = "{tool} was not found."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})


class PortInUse(SetupProblem):
    code = "setup.port_in_use"
    sentence = "Port {port} on {host} is in use by {owner}."
    next_step = "Stop that program, or choose another port with {setting}."

    def __init__(
        self, *, port: int, host: str, setting: str, owner: str = "another program"
    ) -> None:
        super().__init__(port=port, host=host, setting=setting, owner=owner)


class FolderUnusable(SetupProblem):
    code = "setup.folder_unusable"
    sentence = "The folder {path} cannot be used: {problem}."
    next_step = "Make it writable, or choose another; the data folder is that of MOONLAKE_HOME."


class DiskFull(SetupProblem):
    """There is no room to write to; `what` is a folder, a file or a database."""

    code = "setup.disk_full"
    sentence = "The disk is full: {what} cannot be written."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})

    def __init__(
        self,
        *,
        what: object,
        remedy: str = "Free some space there, then run the same command again.",
    ) -> None:
        super().__init__(what=what, remedy=remedy)


class ResultsUnwritten(SetupProblem):
    """An import is sent and recorded, and its file of results cannot be written."""

    code = "import.results_unwritten"
    sentence = "What could be sent is sent and recorded, but not the file of results: {problem}"
    next_step = (
        "`moonlake import show {import_id} --results FILE` writes it, as soon as there is room, or "
        "elsewhere."
    )
    phrases = frozenset({"problem"})


class DatabaseUnusable(SetupProblem):
    code = "setup.database_unusable"
    sentence = "The database {url} cannot be used: {problem}."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})

    def __init__(
        self,
        *,
        url: str,
        problem: str,
        remedy: str = "Start it or correct MOONLAKE_DATABASE_URL, then run the same command again.",
    ) -> None:
        super().__init__(url=url, problem=problem, remedy=remedy)


class DatabaseDamaged(SetupProblem):
    """A SQLite file that is cut, overwritten, or was never one."""

    code = "setup.database_damaged"
    sentence = "The database {path} is damaged: {problem}."
    next_step = (
        "Stop Moonlake and put the file back from a backup. Without one, move it and the files "
        "beside it ({name}-wal, {name}-shm) away and run `moonlake mirror rebuild`: all that the "
        "chain proves comes back; names, documents' titles and the record of operations do not."
    )


class AlreadyRunning(SetupProblem):
    code = "setup.already_running"
    sentence = "{what} is already running on this data folder (process {pid})."
    next_step = "Use that one, or stop it first."


class NotDeployed(SetupProblem):
    code = "setup.not_deployed"
    sentence = "No deployment file at {path}."
    next_step = "Run `moonlake deploy`, or name the file with MOONLAKE_DEPLOYMENT."


class DeploymentBegun(SetupProblem):
    code = "setup.deployment_begun"
    sentence = "A deployment was begun here with another {what}: {found}, not {asked}."
    next_step = "Run it again with the same values, or move {path} away to begin another."


class DeploymentUnreadable(SetupProblem):
    code = "setup.deployment_unreadable"
    sentence = "The deployment file {path}, line {line}: {problem}."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})


class DeployerBusy(SetupProblem):
    """Its nonces are used by others, so that no address can be foretold."""

    code = "setup.deployer_busy"
    sentence = "The account {address} sends other transactions while it deploys."
    next_step = (
        "Stop whatever else signs with this key, or deploy with a key of its own; then run "
        "`moonlake deploy` again: it goes on where it stopped."
    )


class KeyMissing(SetupProblem):
    code = "setup.key_missing"
    sentence = "There is no key {key!r} in {place}."
    next_step = "Create it with `moonlake keys create {key}`, or name another with --as."


class KeyExists(SetupProblem):
    code = "setup.key_exists"
    sentence = "There is a key {key!r} in {place} already; it was not touched."
    next_step = "Use it, or choose another name."


class KeyLocked(SetupProblem):
    code = "setup.key_locked"
    sentence = "The key {key!r} cannot be opened: {problem}."
    next_step = "Check the password (--password-file, MOONLAKE_KEY_PASSWORD_FILE)."


class PasswordUnusable(SetupProblem):
    """The password that opens the keystores of the data folder is not to be had."""

    code = "setup.password_unusable"
    sentence = "The keys' password cannot be read: {problem}."
    next_step = (
        "Name a file whose first line is the password with --password-file "
        "(MOONLAKE_KEY_PASSWORD_FILE), set MOONLAKE_KEY_PASSWORD, or run the command in a "
        "terminal, where it asks."
    )


class CompilationFailed(SetupProblem):
    code = "setup.compilation_failed"
    sentence = "The contracts do not compile: {problem}."
    next_step = "Correct the source named there, and run `moonlake contracts build` again."


class ArtifactsStale(SetupProblem):
    code = "setup.artifacts_stale"
    sentence = "The committed artifacts are not what the sources give: {names}."
    next_step = "Run `moonlake contracts build` and commit ledger/artifacts."
