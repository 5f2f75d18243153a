"""Every setting, in one frozen value. Nothing else reads the environment.

Each is an environment variable `MOONLAKE_<NAME>`, a line of `.env`, and an option of the command
line. The README's table of settings is compared with this class by a test.
"""

from __future__ import annotations

import difflib
import os
from io import StringIO
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ledger.domain.verification import Finality, Level
from ledger.errors import InvalidSetting

ENVIRONMENT_PREFIX = "MOONLAKE_"
ENVIRONMENT_FILE = ".env"

_OF_SCRIPTS = frozenset({"MOONLAKE_PYTHON_TRIED"})
"""What `scripts/python311.py` sets for itself."""


class Settings(BaseSettings):
    """The settings of one process; paths are made absolute, URLs are kept as given."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_file=ENVIRONMENT_FILE, extra="ignore", frozen=True
    )

    home: Path = Field(Path(".moonlake"), description="The data folder.")
    host: str = Field("127.0.0.1", description="The address that the server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="The port that the server listens on.")
    devnet_port: int = Field(8545, ge=1, le=65535, description="The devnet's port on loopback.")
    database_url: str = Field(
        "", description="A SQLAlchemy URL; empty means SQLite in the data folder."
    )
    rpc_url: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Nodes, comma-separated; empty means the devnet."
    )
    deployment: Path | None = Field(
        None,
        description="The deployment file; empty means the chain's in the data folder.",
    )
    anvil: Path | None = Field(
        None, description="The anvil program; empty means node_modules, then PATH."
    )
    key_password_file: Path | None = Field(
        None, description="A file whose first line opens the keystores of the data folder."
    )
    poll_interval: float = Field(
        0.1, gt=0, le=60, description="Seconds between two looks at the chain's head."
    )
    finality_blocks: int = Field(
        64,
        ge=1,
        le=1_000_000,
        description="Blocks after which a block may no longer be reorganised.",
    )
    finality: Finality = Field(
        Finality.EITHER,
        description="What makes a block final: depth, tag (the chain's own word), or either.",
    )
    verify: Level = Field(
        Level.RECEIPTS,
        description="What new rows rest on: receipts, or heads for nodes that serve no receipts.",
    )
    subscribe_url: str = Field(
        "", description="A node's WebSocket that pushes new blocks; empty means polling alone."
    )
    stale_after: float = Field(
        30.0, gt=0, description="Seconds without a look at the chain after which /readyz says no."
    )
    language: str = Field("zh-CN", description="The console's language where a reader names none.")

    @field_validator("*", mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        # What an environment or a command line holds need not be text; SQL and JSON need it.
        try:
            if isinstance(value, str | Path):
                str(value).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("it is not UTF-8") from error
        return value

    @field_validator("home", "host", mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any, info: ValidationInfo) -> Any:
        # An empty folder would be the current one, an empty host every address of the machine.
        empty = value == "" and info.field_name is not None
        return cls.model_fields[info.field_name or ""].default if empty else value

    @field_validator("host", mode="after")
    @classmethod
    def _is_host(cls, value: str) -> str:
        try:
            value.encode("idna")
        except UnicodeError as error:
            raise ValueError(f"{value} is no name and no address of a machine") from error
        return value

    @field_validator("rpc_url", mode="before")
    @classmethod
    def _split_urls(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("rpc_url", mode="after")
    @classmethod
    def _are_http_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            _check_url(url, ("http", "https"))
        return value

    @field_validator("subscribe_url", mode="after")
    @classmethod
    def _is_websocket(cls, value: str) -> str:
        if value:
            _check_url(value, ("ws", "wss"))
        return value

    @field_validator("home", "deployment", "anvil", "key_password_file", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        try:
            return value.expanduser().absolute() if value is not None else None
        except RuntimeError as error:
            raise ValueError(f"the home folder in {value} is not known") from error
        except FileNotFoundError as error:
            raise ValueError("the current folder is gone; name an absolute path") from error

    @field_validator("deployment", "anvil", "key_password_file", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes' URLs, the devnet's where none is named."""
        return self.rpc_url or (f"http://127.0.0.1:{self.devnet_port}",)

    @property
    def uses_devnet(self) -> bool:
        """Whether the chain is the devnet that Moonlake itself starts."""
        return not self.rpc_url

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.home / 'moonlake.sqlite3'}"

    def as_environment(self) -> dict[str, str]:
        """The variables that give a child process these very settings."""
        found = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            found[ENVIRONMENT_PREFIX + name.upper()] = "" if value is None else text
        return found


def load_settings(**overrides: Any) -> Settings:
    """Read the environment and `.env`; `overrides` (options of the command line) win.

    Overrides that are None count as not given. Raises InvalidSetting with the first problem.
    """
    _check_file(Path(ENVIRONMENT_FILE))
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ENVIRONMENT_PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        problem = first["msg"].removeprefix("Value error, ")
        raise InvalidSetting(setting=name, problem=problem) from error


def unknown_settings() -> list[tuple[str, str]]:
    """Names in the environment and `.env` that begin as ours and are none, with the nearest one.

    A misspelt name is passed over, and what was meant by it is not done. Raises InvalidSetting for
    a `.env` that cannot be read.
    """
    known = [ENVIRONMENT_PREFIX + name.upper() for name in Settings.model_fields]
    path = Path(ENVIRONMENT_FILE)
    _check_file(path)
    names = {*os.environ, *(dotenv_values(path) if path.is_file() else ())}
    ours = {name for name in names if name.upper().startswith(ENVIRONMENT_PREFIX)}
    return [
        (name, difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.0)[0])
        for name in sorted(ours)
        if name.upper() not in known and name not in _OF_SCRIPTS
    ]


def _check_url(url: str, schemes: tuple[str, str]) -> None:
    """Raise ValueError, without what may be secret in the URL: its path, user and password."""
    kind = "an http(s)" if "http" in schemes else "a ws(s)"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(f"one of its addresses is not {kind} URL") from None
    if not usable:
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else url
        if not parts.netloc and {"@", "/", "?"} & set(url):
            shown = "one of its addresses"
        raise ValueError(f"{shown} is not {kind} URL")


def _check_file(path: Path) -> None:
    """Raise InvalidSetting where a line cannot be read: its reader would pass over it."""
    if not path.is_file():
        return
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, f"line {line} is not UTF-8") from error
    except OSError as error:
        raise _unreadable(path, f"it cannot be read: {error.strerror}") from error
    for found in parse_stream(StringIO(content)):
        is_bare = found.value is None and (found.key or "").upper().startswith(ENVIRONMENT_PREFIX)
        if found.error or is_bare:
            lead = found.original.string[: -len(found.original.string.lstrip()) or None]
            skipped = lead.count("\n") if found.original.string.strip() else 0
            line = found.original.line + skipped
            raise _unreadable(path, f"line {line} is not NAME=value")


def _unreadable(path: Path, problem: str) -> InvalidSetting:
    return InvalidSetting(setting=f"file {path.absolute()}", problem=problem)
