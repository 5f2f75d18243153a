"""`moonlake membership credential`: a membership as a credential that others can check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.passwords import ask_password
from ledger.cli.settings_options import CERTIFYING, with_settings
from ledger.cli.view import viewing
from ledger.config import Settings
from ledger.disks import folder_unusable

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them


@with_settings(*CERTIFYING)
def credential(
    programme: Annotated[str, typer.Argument(help="A programme's id or key.")],
    organisation: Annotated[str, typer.Argument(help="An organisation's id or key.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write the token to this file instead of showing it.")
    ] = None,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """A membership in force as an Open Badges 3.0 credential: a JSON Web Token, signed.

    Its issuer and the lists that it names are at MOONLAKE_PUBLIC_URL.
    """
    from ledger.domain.ids import token_id
    from ledger.errors import IssuerKeyMissing
    from ledger.mirror.state import read_state
    from ledger.services.credentials import issue_credential
    from ledger.wiring import issuer_of, list_published_keys, open_signing_key

    keys = list_published_keys(settings)
    if not keys:
        raise IssuerKeyMissing()
    with viewing(settings) as view:
        token = token_id(view.programme(programme), view.organisation(organisation).org_id)
        issued = issue_credential(
            view.connection,
            view.moment,
            token,
            chain_id=read_state(view.connection).chain_id,
            issuer=issuer_of(settings),
            signing=open_signing_key(settings, keys[0], ask_password),
        )
        answer = view.answer(token_id=token)
    text = issued.jwt
    if out is not None:
        try:
            out.write_text(issued.jwt, encoding="ascii")
        except OSError as error:
            raise folder_unusable(out.absolute().parent, error) from error
        text = f"The credential of membership {token} is in {out}."
    values = {**answer, "credential": issued.payload, "jwt": issued.jwt}
    show(values, text, as_json=as_json)
