"""Meaning: a `Frame` becomes an `Assessment`, an `Assessment` becomes alerts and scene events."""

from common import telemetry

# Every module of this package is imported after this line, and so is whatever they import.
telemetry.switch_off()
