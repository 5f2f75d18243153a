"""Settings as options of the command line; each overrides its MOONLAKE_ variable.

A command takes those that it uses and hands them to `load_settings`; None means not given. A secret
has none: everybody on a machine can read a command line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.domain.verification import Finality, Level

HomeOption = Annotated[Path | None, typer.Option(help="The data folder (MOONLAKE_HOME).")]
DevnetPortOption = Annotated[
    int | None,
    typer.Option(help="The devnet's port on loopback (MOONLAKE_DEVNET_PORT).", min=1, max=65535),
]
AnvilOption = Annotated[Path | None, typer.Option(help="The anvil program (MOONLAKE_ANVIL).")]
RpcUrlOption = Annotated[
    str | None, typer.Option(help="Nodes, comma-separated; the devnet if unset (MOONLAKE_RPC_URL).")
]
DeploymentOption = Annotated[
    Path | None, typer.Option(help="The deployment file (MOONLAKE_DEPLOYMENT).")
]
KeyPasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-password-file",
        "--password-file",
        help="A file whose first line opens the keys (MOONLAKE_KEY_PASSWORD_FILE).",
    ),
]
SignersOption = Annotated[
    str | None,
    typer.Option(
        help="What stands behind a key's name: issuer=remote:0xADDRESS@URL, comma-separated "
        "(MOONLAKE_SIGNERS)."
    ),
]
MaxFeeGweiOption = Annotated[
    str | None,
    typer.Option(
        help="The most that one unit of gas may cost, in gwei; 0 where nothing may "
        "(MOONLAKE_MAX_FEE_GWEI)."
    ),
]
DatabaseUrlOption = Annotated[
    str | None,
    typer.Option(
        help="A SQLAlchemy URL; SQLite in the data folder if unset (MOONLAKE_DATABASE_URL)."
    ),
]
HostOption = Annotated[
    str | None, typer.Option(help="The address that the server listens on (MOONLAKE_HOST).")
]
PortOption = Annotated[
    int | None,
    typer.Option(help="The port that the server listens on (MOONLAKE_PORT).", min=1, max=65535),
]
PollIntervalOption = Annotated[
    float | None,
    typer.Option(help="Seconds between two looks at the chain's head (MOONLAKE_POLL_INTERVAL)."),
]
FinalityBlocksOption = Annotated[
    int | None,
    typer.Option(
        help="Blocks after which a block may no longer be reorganised (MOONLAKE_FINALITY_BLOCKS)."
    ),
]
FinalityOption = Annotated[
    Finality | None,
    typer.Option(
        help="What makes a block final: depth, tag (the chain's word), or either "
        "(MOONLAKE_FINALITY)."
    ),
]
VerifyOption = Annotated[
    Level | None,
    typer.Option(
        help="What new rows rest on: receipts, or heads for nodes that serve no receipts "
        "(MOONLAKE_VERIFY)."
    ),
]
SubscribeUrlOption = Annotated[
    str | None,
    typer.Option(
        help="A node's WebSocket that pushes new blocks; polling alone if unset "
        "(MOONLAKE_SUBSCRIBE_URL)."
    ),
]
StaleAfterOption = Annotated[
    float | None,
    typer.Option(
        help="Seconds without a look at the chain that are too many (MOONLAKE_STALE_AFTER)."
    ),
]
LanguageOption = Annotated[
    str | None,
    typer.Option(help="The console's language where a reader names none (MOONLAKE_LANGUAGE)."),
]
PublicUrlOption = Annotated[
    str | None,
    typer.Option(
        help="The address that people reach the server at; its host and port if unset "
        "(MOONLAKE_PUBLIC_URL)."
    ),
]
ReadPolicyOption = Annotated[
    str | None, typer.Option(help="Who may read: open, or members (MOONLAKE_READ_POLICY).")
]
CorsOriginsOption = Annotated[
    str | None,
    typer.Option(
        help="Origins whose pages may use the API, comma-separated (MOONLAKE_CORS_ORIGINS)."
    ),
]
RateLimitOption = Annotated[
    int | None,
    typer.Option(
        help="Requests a minute that one address or API key may make; 0 for any number "
        "(MOONLAKE_RATE_LIMIT)."
    ),
]
LogFormatOption = Annotated[
    str | None,
    typer.Option(
        help="text: trouble alone; json: a line for each request and operation "
        "(MOONLAKE_LOG_FORMAT)."
    ),
]
ServeKeysOption = Annotated[
    str | None,
    typer.Option(
        help="Names of the keys that the server may sign with, comma-separated "
        "(MOONLAKE_SERVE_KEYS)."
    ),
]
ServeProcessesOption = Annotated[
    int | None, typer.Option(help="How many processes serve (MOONLAKE_SERVE_PROCESSES).")
]
WebhookNetworksOption = Annotated[
    str | None,
    typer.Option(
        help="Networks that webhooks may reach though they are not public, comma-separated "
        "(MOONLAKE_WEBHOOK_NETWORKS)."
    ),
]
EvidenceUrlOption = Annotated[
    str | None,
    typer.Option(
        help="A storage of documents, s3://bucket/prefix; the data folder if unset "
        "(MOONLAKE_EVIDENCE_URL)."
    ),
]
EvidenceScanOption = Annotated[
    str | None,
    typer.Option(help="A command that scans a document (MOONLAKE_EVIDENCE_SCAN)."),
]
EvidenceMaxMibOption = Annotated[
    int | None,
    typer.Option(
        help="The largest document that is kept, in MiB (MOONLAKE_EVIDENCE_MAX_MIB).",
        min=1,
        max=4096,
    ),
]
SmtpUrlOption = Annotated[
    str | None,
    typer.Option(help="The mail server, smtps://user@host or smtp://… (MOONLAKE_SMTP_URL)."),
]
SmtpFromOption = Annotated[
    str | None, typer.Option(help="The address that notices come from (MOONLAKE_SMTP_FROM).")
]
IssuerNameOption = Annotated[
    str | None,
    typer.Option(help="Who gives membership credentials (MOONLAKE_ISSUER_NAME)."),
]
