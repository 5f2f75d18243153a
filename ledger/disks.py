"""What the system's refusal to write means to a person: a full disk, or a folder that is not ours.

The two need different things done, and a full disk is nobody's fault of ours. It refuses to judge
anything but writing.
"""

from __future__ import annotations

import errno
from pathlib import Path

from ledger.errors import DiskFull, FolderUnusable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: OSError) -> bool:
    """Whether a write failed since there is no room: on the disk, or of what we may use of it."""
    return error.errno in _FULL


def folder_unusable(path: Path, error: OSError) -> FolderUnusable | DiskFull:
    """What it means that something in the folder `path` could not be written."""
    if is_full(error):
        return DiskFull(what=path)
    return FolderUnusable(path=path, problem=error.strerror or str(error))
