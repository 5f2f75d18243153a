"""Signatures and keystores, with eth-account as the oracle."""

from __future__ import annotations

import json
import stat
import traceback
from pathlib import Path

import eth_account
import pytest
from eth_keys import KeyAPI
from eth_keys.backends import CoinCurveECCBackend
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from ledger.chain.addresses import show_address
from ledger.chain.keystores import (
    DEVNET_COST,
    DEVNET_PASSWORD,
    STRONG_COST,
    create_key,
    decrypt_keystore,
    ensure_key,
    find_key,
    import_key,
    key_folder,
    list_keys,
    open_signer,
    read_password,
    scrypt_cost,
    set_key_aside,
)
from ledger.chain.signers import LocalSigner, TransactionFields, creation_address, sign
from ledger.config import Settings
from ledger.errors import (
    FolderUnusable,
    InvalidFile,
    InvalidValue,
    KeyExists,
    KeyLocked,
    KeyMissing,
    PasswordUnusable,
)

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")


def settings_in(home: Path, **given: object) -> Settings:
    return Settings(home=home, _env_file=None, **given)  # type: ignore[arg-type, call-arg]


@tried(deadline=None, max_examples=60)
@given(
    key=st.integers(1, 2**250).map(lambda number: number.to_bytes(32, "big")),
    chain_id=st.integers(1, 2**53),
    nonce=st.integers(0, 2**40),
    to=st.one_of(st.just(b""), st.binary(min_size=20, max_size=20)),
    data=st.binary(max_size=300),
    fees=st.tuples(st.integers(0, 2**60), st.integers(0, 2**60)).map(sorted),
    value=st.integers(0, 2**90),
)
def test_signing__of_any_transaction__gives_eth_accounts_bytes(
    key: bytes,
    chain_id: int,
    nonce: int,
    to: bytes,
    data: bytes,
    fees: list[int],
    value: int,
) -> None:
    fields = TransactionFields(chain_id, nonce, to, data, 16_777_216, fees[1], fees[0], value)
    account = eth_account.Account.from_key(key)
    as_oracle = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "data": data,
        "gas": 16_777_216,
        "maxFeePerGas": fees[1],
        "maxPriorityFeePerGas": fees[0],
        "value": value,
    } | ({"to": show_address(to)} if to else {})
    oracle = account.sign_transaction(as_oracle)

    signed = sign(fields, LocalSigner(key))

    assert signed.raw == bytes(oracle.raw_transaction)
    assert signed.hash == bytes(oracle.hash)
    assert signed.nonce == nonce
    assert eth_account.Account.recover_transaction(signed.raw) == account.address


def test_signer__of_a_known_key__has_its_address_and_hides_the_key() -> None:
    signer = LocalSigner(KEY)

    assert signer.address == ADDRESS
    assert KEY.hex() not in repr(signer)


def test_creation_address__of_a_known_account__is_the_one_everybody_knows() -> None:
    # The first two contracts of anvil's first account, known to every tutorial.
    assert creation_address(ADDRESS, 0).hex() == "5fbdb2315678afecb367f032d93f642f64180aa3"
    assert creation_address(ADDRESS, 1).hex() == "e7f1725e7734ce288f8367e1bb143e90bb3f0512"
    assert creation_address(ADDRESS, 200) != creation_address(ADDRESS, 201)


def test_eth_account__in_this_environment__signs_with_coincurve() -> None:
    assert isinstance(KeyAPI().backend, CoinCurveECCBackend)


def test_key__once_created__opens_with_its_password_and_with_eth_account(tmp_path: Path) -> None:
    made = create_key(tmp_path, "issuer", "correct horse", cost=DEVNET_COST)

    signer = open_signer(tmp_path, "issuer", "correct horse")

    content = json.loads(made.path.read_text())
    private_key = eth_account.Account.decrypt(content, "correct horse")
    assert signer.address == made.address == find_key(tmp_path, "issuer").address
    assert LocalSigner(bytes(private_key)).address == made.address
    assert content["crypto"]["kdfparams"]["n"] == DEVNET_COST
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["issuer.json"]


def test_key__made_elsewhere_with_pbkdf2__opens(tmp_path: Path) -> None:
    content = eth_account.Account.encrypt(KEY, "secret", kdf="pbkdf2", iterations=1000)
    (tmp_path / "relayer.json").write_text(json.dumps(content))

    assert open_signer(tmp_path, "relayer", "secret").address == ADDRESS


def test_key__with_a_wrong_password__stays_locked(tmp_path: Path) -> None:
    create_key(tmp_path, "issuer", "right", cost=DEVNET_COST)

    with pytest.raises(KeyLocked) as caught:
        open_signer(tmp_path, "issuer", "wrong")

    assert "right" not in str(caught.value)


def test_key__that_exists__is_never_written_over(tmp_path: Path) -> None:
    first = ensure_key(tmp_path, "admin", "one", cost=DEVNET_COST)
    before = first.path.read_bytes()

    with pytest.raises(KeyExists):
        create_key(tmp_path, "admin", "two", cost=DEVNET_COST)

    assert ensure_key(tmp_path, "admin", "two", cost=DEVNET_COST) == first
    assert first.path.read_bytes() == before


def test_keys__of_a_folder__are_listed_without_a_password(tmp_path: Path) -> None:
    made = [create_key(tmp_path, name, "pw", cost=DEVNET_COST) for name in ("issuer", "admin")]
    (tmp_path / DEVNET_PASSWORD).write_text("pw\n")

    assert list_keys(tmp_path) == (made[1], made[0])
    assert list_keys(tmp_path / "nowhere") == ()


def test_key__that_is_missing_or_misnamed__is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="'issuer'"):
        open_signer(tmp_path, "issuer", "pw")
    for name in ("", "../issuer", "Issuer", "-x", "a" * 33):
        with pytest.raises(InvalidValue):
            find_key(tmp_path, name)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), b"{"),
        ((), b"[]"),
        (("version",), 1),
        (("address",), "zz"),
        (("address",), ""),
        (("address",), "00" * 20),
        (("crypto", "cipher"), "aes-256-cbc"),
        (("crypto", "kdf"), "bcrypt"),
        (("crypto", "kdfparams", "n"), 3),
        (("crypto", "kdfparams", "n"), 1 << 40),
        (("crypto", "ciphertext"), "zz"),
    ],
)
def test_key__whose_file_is_damaged__is_refused_with_the_file(
    tmp_path: Path, path: tuple[str, ...], value: object
) -> None:
    made = create_key(tmp_path, "issuer", "pw", cost=DEVNET_COST)
    if path:
        content = json.loads(made.path.read_text())
        inner = content
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        made.path.write_text(json.dumps(content))
    else:
        assert isinstance(value, bytes)
        made.path.write_bytes(value)

    with pytest.raises(InvalidFile, match=r"issuer\.json"):
        open_signer(tmp_path, "issuer", "pw")


def test_password__on_the_devnet__is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    password = read_password(settings)

    kept = key_folder(settings) / DEVNET_PASSWORD
    assert len(password) > 40
    assert read_password(settings) == password
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert scrypt_cost(settings) == DEVNET_COST


def test_password__on_any_other_chain__comes_from_the_file_that_is_named(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first line\r\nsecond line\n")
    file.chmod(0o600)
    settings = settings_in(tmp_path, rpc_url=("http://127.0.0.1:1",), key_password_file=file)

    assert read_password(settings) == "first line"
    assert scrypt_cost(settings) == STRONG_COST
    with pytest.raises(PasswordUnusable, match="no password file"):
        read_password(settings_in(tmp_path, rpc_url=("http://127.0.0.1:1",)))
    file.write_text("\n")
    with pytest.raises(PasswordUnusable, match="empty"):
        read_password(settings)
    with pytest.raises(PasswordUnusable, match="No such file"):
        read_password(settings_in(tmp_path, key_password_file=tmp_path / "missing"))


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o606, 0o777])
def test_password_file__that_others_can_read_or_change__is_refused_with_what_to_do(
    tmp_path: Path, mode: int
) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    file.chmod(mode)

    with pytest.raises(PasswordUnusable, match=r"chmod 600") as caught:
        read_password(settings_in(tmp_path, key_password_file=file))

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_password_file__of_its_owner_or_its_services_group__is_read(
    tmp_path: Path, mode: int
) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    file.chmod(mode)

    assert read_password(settings_in(tmp_path, key_password_file=file)) == "hunter2"


def test_password__given_in_several_ways__is_the_files_then_the_settings_then_the_persons(
    tmp_path: Path,
) -> None:
    file = tmp_path / "password"
    file.write_text("of the file\n")
    file.chmod(0o600)
    elsewhere = {"rpc_url": ("http://127.0.0.1:1",)}
    asked: list[str] = []

    def ask(what: str) -> str:
        asked.append(what)
        return "of the person"

    both = settings_in(tmp_path, key_password_file=file, key_password="of the setting")
    setting = settings_in(tmp_path, key_password="of the setting")
    assert read_password(both, ask) == "of the file"
    assert read_password(setting, ask) == "of the setting"
    assert scrypt_cost(setting) == STRONG_COST
    assert asked == []
    assert read_password(settings_in(tmp_path, **elsewhere), ask) == "of the person"
    assert asked == ["Password of the keys"]
    with pytest.raises(PasswordUnusable, match="empty"):
        read_password(settings_in(tmp_path, **elsewhere), lambda _what: "")


def test_key__made_elsewhere__is_kept_under_our_password(tmp_path: Path) -> None:
    made = import_key(tmp_path, "issuer", KEY, "pw", cost=DEVNET_COST)

    assert made.address == ADDRESS
    assert open_signer(tmp_path, "issuer", "pw").address == ADDRESS
    assert decrypt_keystore(made.path, "pw") == KEY
    with pytest.raises(KeyExists):
        import_key(tmp_path, "issuer", KEY, "pw", cost=DEVNET_COST)


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, b"\x01" * 31])
def test_key__that_cannot_be_one__is_refused_without_being_shown(
    tmp_path: Path, secret: bytes
) -> None:
    with pytest.raises(InvalidValue) as caught:
        import_key(tmp_path, "issuer", secret, "pw", cost=DEVNET_COST)

    assert secret.hex() not in "".join(traceback.format_exception(caught.value))
    assert list(tmp_path.iterdir()) == []


def test_key__set_aside__is_gone_from_the_names_and_not_from_the_disk(tmp_path: Path) -> None:
    made = create_key(tmp_path, "issuer", "pw", cost=DEVNET_COST)
    content = made.path.read_bytes()

    aside = set_key_aside(tmp_path, "issuer")

    assert aside.read_bytes() == content
    assert list_keys(tmp_path) == ()
    with pytest.raises(KeyMissing):
        set_key_aside(tmp_path, "issuer")
    again = create_key(tmp_path, "issuer", "pw", cost=DEVNET_COST)
    assert again.address != made.address


def test_key__in_a_folder_that_cannot_be_used__is_told(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")

    with pytest.raises(FolderUnusable):
        create_key(tmp_path / "keys", "issuer", "pw", cost=DEVNET_COST)
