"""Every setting is documented, and is what the documents say: a variable, a line, an option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from ledger.cli import options, settings_options
from ledger.config import ENVIRONMENT_PREFIX, Settings, load_settings
from ledger.errors import InvalidSetting

README = Path(__file__).parents[2] / "README.md"

SETTINGS = tuple(Settings.model_fields)
SAMPLES = {
    "home": "/srv/moonlake",
    "host": "192.0.2.1",
    "port": "8100",
    "devnet_port": "8600",
    "database_url": "postgresql://moonlake@/ledger",
    "rpc_url": "http://one.example,http://two.example",
    "deployment": "/srv/31337.json",
    "anvil": "/opt/anvil",
    "key_password_file": "/run/password",
    "key_password": "correct horse",
    "signers": f"issuer=remote:0x{'11' * 20}@https://ledger:secret@one.example,admin=admin-2026",
    "devnet_keys": f"guardian=0x{'01' * 32}",
    "max_fee_gwei": "30.5",
    "poll_interval": "0.5",
    "finality_blocks": "12",
    "finality": "tag",
    "verify": "heads",
    "subscribe_url": "ws://one.example",
    "stale_after": "60.0",
    "language": "en",
    "public_url": "https://ledger.example.org",
    "read_policy": "members",
    "cors_origins": "https://portal.example.org,http://localhost:3000",
    "rate_limit": "120",
    "log_format": "json",
    "serve_keys": "issuer,registrar",
    "serve_processes": "2",
    "webhook_networks": "10.1.0.0/16,fd00::/8",
    "evidence_url": "s3://bucket/evidence",
    "evidence_scan": "clamdscan --no-summary",
    "evidence_max_mib": "32",
    "smtp_url": "smtps://ledger@mail.example.org:465",
    "smtp_password": "correct horse",
    "smtp_from": "ledger@example.org",
    "issuer_name": "The Alliance",
}


SECRETS = tuple(
    name for name, field in Settings.model_fields.items() if field.annotation is SecretStr
)
"""Settings that are no options: everybody on a machine can read a command line."""


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours is set, and no `.env` lies in the present folder."""
    for name in SETTINGS:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.chdir(tmp_path)


def variable(name: str) -> str:
    return ENVIRONMENT_PREFIX + name.upper()


def documented() -> dict[str, tuple[str, str]]:
    """Default and meaning of each setting in the README's table."""
    rows = re.findall(r"^\| `(MOONLAKE_\w+)` \| (.*?) \| (.*) \|$", README.read_text("utf-8"), re.M)
    return {name: (default, meaning) for name, default, meaning in rows}


def test_readme__its_table__has_every_setting_in_their_order() -> None:
    assert list(documented()) == [variable(name) for name in SETTINGS]


@pytest.mark.parametrize("name", SETTINGS)
def test_readme__of_a_setting__says_what_the_code_says(name: str) -> None:
    meaning = documented()[variable(name)][1].lower()
    described = (Settings.model_fields[name].description or "").lower()

    # The table may say more; it begins as the code does.
    beginning = re.split("[,;:]", meaning)[0].replace("`", "")
    assert beginning in described


@pytest.mark.parametrize("name", SETTINGS)
def test_readme__default_in_code_letters__is_the_default(name: str) -> None:
    default = documented()[variable(name)][0]
    if not re.fullmatch(r"`[^`]*`", default):
        return  # told in words
    value = getattr(Settings(), name)

    shown = (
        value.name
        if isinstance(value, Path)
        else f"{value:g}"
        if name == "stale_after"
        else str(value)
    )
    assert default.strip("`") == shown


@pytest.mark.parametrize("name", SETTINGS)
def test_setting__from_the_environment__is_taken(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(name), SAMPLES[name])

    assert load_settings().as_environment()[variable(name)] == SAMPLES[name]


@pytest.mark.parametrize("name", SETTINGS)
def test_setting__from_a_line_of_dotenv__is_taken(name: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"{variable(name)}={SAMPLES[name]}\n", "utf-8")

    assert load_settings().as_environment()[variable(name)] == SAMPLES[name]


def test_setting__given_in_all_ways__is_the_options_then_the_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MOONLAKE_PORT=1\nMOONLAKE_DEVNET_PORT=2\n", "utf-8")
    monkeypatch.setenv("MOONLAKE_PORT", "3")

    settings = load_settings(home="/srv/moonlake", port=None)

    assert (settings.port, settings.devnet_port) == (3, 2)
    assert load_settings(port=4).port == 4


def option_name(name: str) -> str:
    return "".join(word.title() for word in name.split("_")) + "Option"


@pytest.mark.parametrize("name", SECRETS)
def test_setting__that_is_secret__is_no_option_and_in_no_repr(name: str) -> None:
    settings = load_settings(**{name: SAMPLES[name]})

    assert not hasattr(options, option_name(name))
    assert name not in settings_options.EVERY
    assert SAMPLES[name] not in repr(settings) + str(settings)


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in SECRETS])
def test_setting__as_an_option__names_its_variable(name: str) -> None:
    assert name in settings_options.EVERY
    option = getattr(options, option_name(name))

    (typer_option,) = option.__metadata__
    assert variable(name) in typer_option.help


def test_as_environment__of_settings__gives_a_child_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load_settings(**SAMPLES)
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)

    assert load_settings() == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "0"),
        ("port", "many"),
        ("devnet_port", "65536"),
        ("poll_interval", "0"),
        ("finality_blocks", "0"),
        ("stale_after", "-1"),
        ("max_fee_gwei", "-1"),
        ("max_fee_gwei", "much"),
        ("max_fee_gwei", "NaN"),
        ("signers", "issuer"),
        ("devnet_keys", "issuer"),
        ("public_url", "ledger.example.org"),
        ("public_url", "https://ledger.example.org/"),
        ("cors_origins", "*"),
        ("cors_origins", "https://portal.example.org/path"),
        ("read_policy", "closed"),
        ("rate_limit", "-1"),
        ("serve_keys", "No Key"),
        ("serve_processes", "0"),
        ("webhook_networks", "10.1.0.1/16"),
        ("evidence_max_mib", "0"),
    ],
)
def test_setting__that_cannot_be__is_refused_by_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(name), value)

    with pytest.raises(InvalidSetting) as refused:
        load_settings()

    assert refused.value.values["setting"] == variable(name)


def test_setting__empty__is_as_if_it_were_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "rpc_url",
        "database_url",
        "deployment",
        "anvil",
        "key_password_file",
        "key_password",
        "signers",
        "devnet_keys",
    ):
        monkeypatch.setenv(variable(name), "")

    assert load_settings() == Settings()
