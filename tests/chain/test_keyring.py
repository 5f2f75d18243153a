"""What stands behind a key's name; and that no secret of it gets into sight."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.artifacts import CONTRACTS, load_artifact
from ledger.chain.deployments import DeployedContract, Deployment, write_deployment
from ledger.chain.keyring import (
    Kind,
    ensure_named_key,
    find_named_key,
    list_named_keys,
    open_named_signer,
    open_remote,
)
from ledger.chain.keystores import DEVNET_COST, create_key, key_folder
from ledger.chain.messages import write_cancellation
from ledger.chain.policies import Policy, write_policy
from ledger.chain.signers import LocalSigner, TransactionFields
from ledger.chain.typed_data import MessageDomain
from ledger.config import Settings, load_settings
from ledger.domain.ids import BlockNumber
from ledger.errors import (
    DevnetKeyRefused,
    InvalidFile,
    InvalidSetting,
    InvalidValue,
    KeyMissing,
    PasswordUnusable,
    PolicyRefused,
)
from tests.support.remote_signer import FakeWeb3Signer

SECRET = bytes(range(1, 33))
KEY = LocalSigner(SECRET)
FIELDS = TransactionFields(31337, 0, b"\xac" * 20, b"", 21_000, 1, 0)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours is set, and no `.env` lies in the present folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"MOONLAKE_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server() -> Iterator[FakeWeb3Signer]:
    with FakeWeb3Signer(SECRET, 31337) as running:
        yield running


def settings_in(home: Path, **given: Any) -> Settings:
    return load_settings(home=home, **given)


def test_name__without_a_setting__is_the_keystore_of_that_name(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    made = ensure_named_key(settings, "issuer")

    assert made.kind is Kind.KEYSTORE
    assert made.policy is None
    assert open_named_signer(settings, "issuer").address == made.address
    with pytest.raises(KeyMissing):
        find_named_key(settings, "registrar")


def test_name__set_to_another_keystore__is_that_one(tmp_path: Path) -> None:
    folder = key_folder(settings_in(tmp_path))
    made = ensure_named_key(settings_in(tmp_path), "issuer-2026")
    ensure_named_key(settings_in(tmp_path), "issuer")
    settings = settings_in(tmp_path, signers="issuer=issuer-2026")

    assert find_named_key(settings, "issuer").address == made.address
    assert find_named_key(settings, "issuer").place == str(folder / "issuer-2026.json")
    assert open_named_signer(settings, "issuer").address == made.address


def test_name__set_to_a_remote_signer__never_falls_back_to_a_keystore(
    tmp_path: Path, server: FakeWeb3Signer
) -> None:
    kept = ensure_named_key(settings_in(tmp_path), "issuer")
    settings = settings_in(tmp_path, signers=server.setting("issuer"))
    signer = open_named_signer(settings, "issuer")

    assert signer.address == server.address != kept.address
    assert signer.sign_transaction(FIELDS) == KEY.sign_transaction(FIELDS)
    assert find_named_key(settings, "issuer").kind is Kind.REMOTE
    assert ensure_named_key(settings, "issuer").address == server.address
    assert open_remote(settings, "issuer") is not None
    assert open_remote(settings, "registrar") is None


def test_keys__of_the_folder_and_of_the_settings__are_listed_together(
    tmp_path: Path, server: FakeWeb3Signer
) -> None:
    ensure_named_key(settings_in(tmp_path), "admin")
    settings = settings_in(
        tmp_path,
        signers=f"{server.setting('issuer')}, council=admin",
        devnet_keys=f"guardian=0x{SECRET.hex()}",
    )

    assert [(key.name, key.kind) for key in list_named_keys(settings)] == [
        ("admin", Kind.KEYSTORE),
        ("council", Kind.KEYSTORE),
        ("guardian", Kind.DEVNET),
        ("issuer", Kind.REMOTE),
    ]


def test_devnet_key__on_the_devnet__signs(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, devnet_keys=f"issuer=0x{SECRET.hex()}")
    signer = open_named_signer(settings, "issuer")
    message = write_cancellation(
        MessageDomain("Credits", 31337, b"\1" * 20),
        account=KEY.address,
        operation_id=b"\1" * 32,
        deadline=1,
    )

    assert signer.sign_transaction(FIELDS) == KEY.sign_transaction(FIELDS)
    assert signer.sign_typed_data(message) == KEY.sign_typed_data(message)
    assert not key_folder(settings).exists()


@pytest.mark.parametrize("chain_id", [1, 0, 31336, 137])
def test_devnet_key__on_any_other_chain__is_refused_with_what_to_do(
    tmp_path: Path, chain_id: int
) -> None:
    settings = settings_in(
        tmp_path,
        rpc_url="http://127.0.0.1:1",
        devnet_keys=f"issuer=0x{SECRET.hex()}",
    )
    signer = open_named_signer(settings, "issuer")
    other = TransactionFields(chain_id, 0, b"\xac" * 20, b"", 21_000, 1, 0)
    message = write_cancellation(
        MessageDomain("Credits", chain_id, b"\1" * 20),
        account=KEY.address,
        operation_id=b"\1" * 32,
        deadline=1,
    )

    for attempt in (
        lambda: signer.sign_transaction(other),
        lambda: signer.sign_typed_data(message),
    ):
        with pytest.raises(DevnetKeyRefused, match=f"this is chain {chain_id}") as caught:
            attempt()
        assert "moonlake keys create issuer" in caught.value.advice


def test_name__with_a_devnet_key_and_another_signer__is_refused(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path, devnet_keys=f"issuer=0x{SECRET.hex()}", signers="issuer=registrar"
    )

    with pytest.raises(InvalidSetting, match="MOONLAKE_DEVNET_KEYS has the key issuer, too"):
        open_named_signer(settings, "issuer")


def test_policy__of_a_name__is_around_whatever_stands_behind_it(
    tmp_path: Path, server: FakeWeb3Signer
) -> None:
    for given in (
        {"signers": server.setting("issuer")},
        {"devnet_keys": f"issuer=0x{SECRET.hex()}"},
        {},
    ):
        settings = settings_in(tmp_path, **given)
        ensure_named_key(settings, "issuer")
        write_policy(key_folder(settings), "issuer", Policy(("Credits.award",)))

        with pytest.raises(PolicyRefused):
            open_named_signer(settings, "issuer").sign_transaction(FIELDS)
    assert server.asked == []


def test_policy__beside_a_deployment_file_of_another_chain__knows_no_contract(
    tmp_path: Path,
) -> None:
    contracts = {
        name: DeployedContract(name, bytes([index + 1]) * 20, BlockNumber(1), bytes(32), bytes(32))
        for index, name in enumerate(CONTRACTS)
    }
    deployment = Deployment(31337, bytes(32), KEY.address, KEY.address, 0, 3600, 1, contracts)
    file = tmp_path / "31337.json"
    write_deployment(file, deployment)
    settings = settings_in(tmp_path, deployment=file)
    ensure_named_key(settings, "issuer")
    write_policy(key_folder(settings), "issuer", Policy(("Credits.*",)))
    signer = open_named_signer(settings, "issuer")
    award = load_artifact("Credits").functions[
        "award(uint16,(uint32,uint64,bytes32,bytes32)[],bytes32)"
    ]
    here = replace(FIELDS, to=contracts["Credits"].address, data=award)

    assert signer.sign_transaction(here)
    with pytest.raises(PolicyRefused, match="no contract of this ledger"):
        signer.sign_transaction(replace(here, chain_id=1))


def test_policy__that_cannot_be_read__keeps_the_key_from_being_opened(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    ensure_named_key(settings, "issuer")
    path = write_policy(key_folder(settings), "issuer", Policy(()))
    path.write_text("{")

    with pytest.raises(InvalidFile):
        open_named_signer(settings, "issuer")


@pytest.mark.parametrize(
    "value",
    [
        "issuer",
        "=issuer",
        "issuer=",
        "Issuer=other",
        "issuer=../other",
        "issuer=remote:",
        "issuer=remote:0x00@http://x",
        "issuer=remote:0x" + "11" * 20,
        "issuer=remote:0x" + "11" * 20 + "@ftp://x",
        "issuer=remote:0x" + "11" * 20 + "@http://me:hunter2@",
        "issuer=a,issuer=b",
    ],
)
def test_signers__that_cannot_be_meant__are_refused_without_a_secret(value: str) -> None:
    with pytest.raises(InvalidSetting, match="MOONLAKE_SIGNERS") as caught:
        load_settings(signers=value)

    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_signers__with_a_mistyped_address__are_refused_when_used(tmp_path: Path) -> None:
    address = "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # one letter's case is wrong
    settings = settings_in(tmp_path, signers=f"issuer=remote:{address}@http://127.0.0.1:1")

    with pytest.raises(InvalidValue, match="checksum"):
        find_named_key(settings, "issuer")


@pytest.mark.parametrize(
    "value", ["hunter2", "issuer=hunter2", f"issuer={SECRET.hex()}", f"I=0x{SECRET.hex()}", "=0x"]
)
def test_devnet_keys__that_are_none__are_refused_without_being_shown(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONLAKE_DEVNET_KEYS", value)

    with pytest.raises(InvalidSetting, match="MOONLAKE_DEVNET_KEYS") as caught:
        load_settings()

    said = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in said
    assert SECRET.hex() not in said


def test_devnet_key__that_no_curve_has__is_refused_without_being_shown(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, devnet_keys="issuer=0x" + "ff" * 32)

    with pytest.raises(InvalidSetting) as caught:
        find_named_key(settings, "issuer")

    assert "ff" * 32 not in "".join(traceback.format_exception(caught.value))


def test_secrets__of_settings_and_signers__are_in_no_repr_log_or_traceback(
    tmp_path: Path, server: FakeWeb3Signer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.url.replace("//", "//ledger:hunter2@")
    settings = settings_in(
        tmp_path,
        rpc_url="http://127.0.0.1:1",
        key_password="correct horse",
        devnet_keys=f"guardian=0x{SECRET.hex()}",
        signers=f"issuer=remote:0x{server.address.hex()}@{url}",
    )
    create_key(key_folder(settings), "admin", "correct horse", cost=DEVNET_COST)
    write_policy(key_folder(settings), "admin", Policy(()))
    signers = [open_named_signer(settings, name) for name in ("admin", "guardian", "issuer")]
    signers[2].sign_transaction(FIELDS)
    shown = [repr(settings), str(settings), repr(settings.signers_by_name), caplog.text]
    shown += [repr(settings.model_dump()["key_password"]), repr(settings.devnet_keys_by_name)]
    shown += [repr(each) for each in (*signers, *list_named_keys(settings))]
    for attempt in (
        lambda: signers[0].sign_transaction(FIELDS),
        lambda: signers[1].sign_transaction(TransactionFields(1, 0, b"", b"", 1, 1, 1)),
        lambda: open_named_signer(settings.model_copy(update={"key_password": _other()}), "admin"),
    ):
        with pytest.raises(Exception, match=r".") as caught:
            attempt()
        shown.append("".join(traceback.format_exception(caught.value)))
        shown.append(repr(getattr(caught.value, "values", "")))

    for text in shown:
        for secret in ("correct horse", "other horse", "hunter2", SECRET.hex(), str(SECRET)):
            assert secret not in text


def _other() -> Any:
    from pydantic import SecretStr  # noqa: PLC0415

    return SecretStr("other horse")


def test_settings__for_a_child_process__hand_its_secrets_on(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, key_password="correct horse")

    assert settings.as_environment()["MOONLAKE_KEY_PASSWORD"] == "correct horse"


def test_local_signer__cannot_be_pickled_by_mistake() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


def test_key__without_a_password_anywhere__asks_or_says_what_to_set(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, rpc_url="http://127.0.0.1:1")
    create_key(key_folder(settings), "issuer", "typed", cost=DEVNET_COST)

    assert open_named_signer(settings, "issuer", lambda _what: "typed").address
    with pytest.raises(PasswordUnusable) as caught:
        open_named_signer(settings, "issuer")
    assert "MOONLAKE_KEY_PASSWORD" in caught.value.advice
