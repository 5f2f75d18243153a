"""Verify now: starts the audit of the ledger that is served, in a process of its own.

An audit computes for minutes, so that no server process does it: `moonlake audit now` does, and all
server processes read its progress and result from the data folder. The lock of that folder is taken
here and handed over, so that of two who ask at once one is refused. It starts nothing where there
is no deployment to audit.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from ledger.audit.folder import AuditFolder
from ledger.audit.options import AuditOptions, write_options
from ledger.chain.deployments import deployment_path, read_deployment
from ledger.config import Settings
from ledger.processes import UNSHADOWED, own_environment
from ledger.wiring import audit_folder

_MOONLAKE = "import sys; from ledger.cli.main import main; sys.exit(main())"
_LOG = "audit.log"


class Auditing:
    """The audits that this server process started."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._processes: list[subprocess.Popen[bytes]] = []
        self.folder: AuditFolder = audit_folder(settings)

    def start(self, chain_id: int, options: AuditOptions) -> None:
        """Begin an audit. Raises AuditRunning, NotDeployed, DeploymentUnreadable."""
        read_deployment(deployment_path(self._settings, chain_id))
        self._processes = [each for each in self._processes if each.poll() is None]
        lock = self.folder.lock()
        try:
            with (self.folder.path / _LOG).open("wb") as log:
                process = subprocess.Popen(
                    [
                        *(sys.executable, *UNSHADOWED, "-c", _MOONLAKE),
                        *("audit", "now", "--json", "--lock", str(lock)),
                        *("--options", write_options(options)),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=own_environment(**self._settings.as_environment()),
                    pass_fds=[lock],
                    start_new_session=True,
                )
            self._processes.append(process)
            self.folder.begun_by(process.pid, time.time())
        finally:
            os.close(lock)

    def stop(self) -> None:
        """End what this process started; the audit is then one that failed."""
        for each in self._processes:
            each.terminate()
        for each in self._processes:
            each.wait()
