"""The process: settings, wiring, replay, supervision and the command line."""

from common import telemetry

# Every module of this package is imported after this line, and so is whatever they import.
telemetry.switch_off()
