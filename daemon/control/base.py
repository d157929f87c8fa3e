"""What every command over the control socket has in common. The commands themselves stand in
`control_protocol` (for whoever wears it) and `web_commands` (for whoever sets it up).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Language = Literal["en", "ko"]
Words = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class ControlCommand(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """A command with its arguments, within bounds. `do` is a literal with a default: its name on the wire."""
