"""The database's schema, one revision after the other. What was released is never changed."""

from __future__ import annotations

HEAD = "0029"
"""The newest revision, known here so that a start on a current database need not load Alembic."""
