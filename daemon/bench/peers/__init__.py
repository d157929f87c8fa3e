"""Rules that others use to decide when a view is described, beside our scene gate on the same clips."""

from daemon.bench.peers.compare import measure as measure
