"""Where evidence files stand: a folder, or any storage that fsspec reaches, such as S3.

A file has its name once it is whole. A name is the hash of the content, so that putting one file
twice, from two machines at once, is putting it once. Nothing here checks contents; who reads does.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from ledger.disks import folder_unusable
from ledger.errors import InvalidSetting, StorageUnusable, ToolMissing

_IN_MEMORY = 1024 * 1024


class Shelf(Protocol):
    """Keeps files by their names."""

    def put(self, incoming: Path, name: str) -> None:
        """Put a file that is written whole; `incoming` may be gone afterwards."""

    def open(self, name: str) -> BinaryIO | None:
        """The file, to be read and wound back; None where there is none."""

    def delete(self, name: str) -> None:
        """Delete the file, if it is there."""


class FolderShelf:
    """A folder on a disk of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path_of(self, name: str) -> Path:
        """Where a file stands."""
        return self._folder / name[:2] / name

    def put(self, incoming: Path, name: str) -> None:
        """Rename it into place; it survives a loss of power. Raises OSError."""
        target = self.path_of(name)
        target.parent.mkdir(exist_ok=True)
        incoming.replace(target)
        _sync_folder(target.parent)

    def open(self, name: str) -> BinaryIO | None:
        """The file itself. Raises FolderUnusable."""
        try:
            return self.path_of(name).open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise folder_unusable(self._folder, error) from error

    def delete(self, name: str) -> None:
        """Delete it. Raises FolderUnusable."""
        try:
            self.path_of(name).unlink(missing_ok=True)
        except OSError as error:
            raise folder_unusable(self._folder, error) from error


class RemoteShelf:
    """A storage behind a URL of fsspec (`s3://bucket/prefix`), shared by several machines.

    Its credentials come as that storage has them (for S3 the usual AWS_ variables or a role).
    """

    def __init__(self, url: str) -> None:
        self._files, self._root = _open_storage(url)
        self._shown = url.partition("://")[0]

    def put(self, incoming: Path, name: str) -> None:
        """Upload it; it has its name once it is whole. Raises StorageUnusable."""
        try:
            self._files.makedirs(f"{self._root}/{name[:2]}", exist_ok=True)
            part = self._path_of(name)
            self._files.put_file(str(incoming), part)
        except Exception as error:
            raise self._unusable(error) from error

    def open(self, name: str) -> BinaryIO | None:
        """A copy of the file, so that what is checked is what is read. Raises StorageUnusable."""
        copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  the reader's
        try:
            with self._files.open(self._path_of(name), "rb") as file:
                while chunk := file.read(_IN_MEMORY):
                    copy.write(chunk)
        except FileNotFoundError:
            copy.close()
            return None
        except Exception as error:
            copy.close()
            raise self._unusable(error) from error
        copy.seek(0)
        return cast("BinaryIO", copy)

    def delete(self, name: str) -> None:
        """Delete it. Raises StorageUnusable."""
        try:
            self._files.rm_file(self._path_of(name))
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._unusable(error) from error

    def _path_of(self, name: str) -> str:
        return f"{self._root}/{name[:2]}/{name}"

    def _unusable(self, error: Exception) -> StorageUnusable:
        # What a storage says may hold its address and keys; the class of its error does not.
        return StorageUnusable(scheme=self._shown, problem=type(error).__name__)


def _open_storage(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415  needed where a storage is named
    except ImportError as error:
        remedy = "Install `moonlake-ledger[s3]`, or leave MOONLAKE_EVIDENCE_URL empty."
        raise ToolMissing(tool="fsspec", remedy=remedy) from error
    try:
        files, root = url_to_fs(url)
    except ImportError as error:
        remedy = "Install `moonlake-ledger[s3]`, or what this kind of storage needs."
        raise ToolMissing(tool="The storage's driver", remedy=remedy) from error
    except ValueError as error:
        problem = "it is not a URL of a storage such as s3://bucket/evidence"
        raise InvalidSetting(setting="MOONLAKE_EVIDENCE_URL", problem=problem) from error
    return files, str(root).rstrip("/")


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
