"""Gives a command the settings that it uses, each also as an option of its own.

    @app.command()
    @with_settings(*READING)
    def show_command(name: str, *, settings: Settings) -> None: ...

takes `--home` and `--database-url` besides its own options and is called with the settings that
environment, `.env` and these options make together.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ledger.cli import options
from ledger.config import load_settings

_OPTIONS: dict[str, Any] = {
    "home": options.HomeOption,
    "host": options.HostOption,
    "port": options.PortOption,
    "devnet_port": options.DevnetPortOption,
    "rpc_url": options.RpcUrlOption,
    "deployment": options.DeploymentOption,
    "database_url": options.DatabaseUrlOption,
    "key_password_file": options.KeyPasswordFileOption,
    "signers": options.SignersOption,
    "max_fee_gwei": options.MaxFeeGweiOption,
    "anvil": options.AnvilOption,
    "poll_interval": options.PollIntervalOption,
    "finality_blocks": options.FinalityBlocksOption,
    "finality": options.FinalityOption,
    "verify": options.VerifyOption,
    "subscribe_url": options.SubscribeUrlOption,
    "stale_after": options.StaleAfterOption,
    "language": options.LanguageOption,
    "public_url": options.PublicUrlOption,
    "read_policy": options.ReadPolicyOption,
    "cors_origins": options.CorsOriginsOption,
    "rate_limit": options.RateLimitOption,
    "log_format": options.LogFormatOption,
    "serve_keys": options.ServeKeysOption,
    "serve_processes": options.ServeProcessesOption,
    "webhook_networks": options.WebhookNetworksOption,
    "evidence_url": options.EvidenceUrlOption,
    "evidence_scan": options.EvidenceScanOption,
    "evidence_max_mib": options.EvidenceMaxMibOption,
    "smtp_url": options.SmtpUrlOption,
    "smtp_from": options.SmtpFromOption,
    "issuer_name": options.IssuerNameOption,
}

EVERY = tuple(_OPTIONS)
"""What a command needs that starts others with its own settings."""

READING = ("home", "database_url")
"""What a command needs that reads the database."""

_CHAIN = ("home", "devnet_port", "rpc_url", "deployment", "database_url", "finality_blocks")

MIRRORING = (*_CHAIN, "finality", "verify")
"""What a command needs that mirrors the chain."""

SENDING = (*_CHAIN, "finality", "key_password_file", "signers", "max_fee_gwei")
"""What a command needs that sends transactions."""

SERVING = (
    *SENDING,
    "host",
    "port",
    "stale_after",
    "language",
    "public_url",
    "read_policy",
    "cors_origins",
    "rate_limit",
    "log_format",
    "serve_keys",
    "serve_processes",
    "issuer_name",
)
"""What the server needs."""

CERTIFYING = (*READING, "host", "port", "rpc_url", "public_url", "key_password_file", "issuer_name")
"""What a command needs that gives a credential."""


def with_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator for a command that takes `settings`: the options of these settings are added."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [each for name, each in signature.parameters.items() if name != "settings"]
        added = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_OPTIONS[name]
            )
            for name in names
        ]

        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            chosen = {name: given.pop(name) for name in names}
            command(**given, settings=load_settings(**chosen))

        parameters = [*own, *added]
        with_options.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        )
        with_options.__annotations__ = {each.name: each.annotation for each in parameters}
        del with_options.__wrapped__  # whose parameters would be taken for ours
        return with_options

    return decorate


def take_instead(
    wrapper: Callable[..., None],
    command: Callable[..., None],
    parameter: str,
    options: Sequence[tuple[str, Any, Any]],
) -> None:
    """Give a command's wrapper the command's own parameters, with options in the place of one.

    Each option is its name, its annotation and its default; `inspect.Parameter.empty` for none.
    """
    signature = inspect.signature(command, eval_str=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [each for name, each in signature.parameters.items() if name != parameter]
    added = [
        inspect.Parameter(name, keyword, annotation=kind, default=default)
        for name, kind, default in options
    ]
    wrapper.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*(each.replace(kind=keyword) for each in own), *added]
    )
    if hasattr(wrapper, "__wrapped__"):
        del wrapper.__wrapped__  # whose parameters would be taken for ours
