"""The application starts from its settings alone, quickly and without a chain's libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from api.app import create_app
from ledger.config import Settings
from ledger.errors import InvalidSetting
from tests.http.conftest import settings_for

SLOW = ("web3", "eth_account", "eth_abi", "solcx", "alembic", "httpx")


def test_application__started__has_loaded_nothing_that_only_others_need(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ledger.config import Settings;"
        "from api.app import create_app; create_app(Settings(home=Path(sys.argv[1])));"
        f"print([name for name in {SLOW!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )

    assert done.stdout.strip() == "[]"


def test_application__of_an_unknown_language__is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, language="fr", _env_file=None)

    with pytest.raises(InvalidSetting, match="MOONLAKE_LANGUAGE"):
        create_app(settings)


def test_application__of_an_unknown_database__is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="MOONLAKE_DATABASE_URL"):
        create_app(settings_for(tmp_path, "mysql://somewhere/else"))
