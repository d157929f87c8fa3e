"""The process: settings, wiring, replay, supervision and the command line."""
