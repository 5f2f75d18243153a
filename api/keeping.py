"""What caches are told of an answer that is for its caller alone, in one place for all routes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NOT_KEPT: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store"})
"""Headers of an answer that nobody keeps, neither its caller's browser nor what lies between."""
