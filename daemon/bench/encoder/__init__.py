"""The image encoder at each precision against other engines, and against the engine's own peak."""

from daemon.bench.encoder.precisions import measure as measure
