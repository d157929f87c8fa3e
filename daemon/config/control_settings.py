"""The `[control]` section."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ControlSettings(BaseModel, frozen=True, extra="forbid"):
    """Who may talk to the running daemon, and by what name it is found."""

    instance: str = Field(
        "",
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$",
        description="name of this daemon where several run, one a camera",
    )
    group: str = Field(
        "", description="group whose members may talk to it too; without one only its own user and root may"
    )
    forward_to: str = Field(
        "",
        pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$",
        description="instance with the loudspeaker, which says what this one has to say; `watchword` is the "
        "one without a name, empty speaks here",
    )
