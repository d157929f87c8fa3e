"""The faults, by kind."""

from __future__ import annotations

from tests.faults.fault import Row
from tests.faults.rows import (
    camera,
    control,
    describer,
    journal,
    process,
    settings,
    sound,
    start,
    stream,
    web,
)

ALL: tuple[Row, ...] = (
    *camera.ROWS,
    *sound.ROWS,
    *journal.ROWS,
    *settings.ROWS,
    *control.ROWS,
    *process.ROWS,
    *start.ROWS,
    *web.ROWS,
    *describer.ROWS,
    *stream.ROWS,
)
