"""Marks for settings that a running daemon takes over on `reload`; all others wait for a restart.

The mark stands at the field, in its JSON schema. The reload plan and the table in docs/configuration.md are
derived from it.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import Field

LIVE, VOICE = "live", "changes_voice"
"""Keys of the marks in a field's JSON schema."""

Value = TypeVar("Value")

Live = Annotated[Value, Field(json_schema_extra={LIVE: True})]
"""A setting that holds as soon as it is read again: `cooldown_s: Live[float]`."""
LiveVoice = Annotated[Value, Field(json_schema_extra={LIVE: True, VOICE: True})]
"""The same, of a setting that changes how words sound: prepared phrases are rendered again."""
