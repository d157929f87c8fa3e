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
    *control.ROWS,
    *process.ROWS,
    *start.ROWS,
    *settings.ROWS,
    *journal.ROWS,
    *sound.ROWS,
    *describer.ROWS,
    *stream.ROWS,
    *camera.ROWS,
    *web.ROWS,
)
