"""The seam to loudspeakers and to what stands in for them."""

from __future__ import annotations


class PlayerError(Exception):
    """Base of what a player raises; the message says what to do."""


class PlayerLostError(PlayerError):
    """The loudspeaker went away; trying again later may help."""


class PlayerUnusableError(PlayerError):
    """It can never play as configured (no such file or device, no permission)."""
