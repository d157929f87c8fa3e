"""schemathesis over the web interface's own description: whatever it allows, or forbids, is answered as
described.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from daemon.config.sections import WebSettings
from tests.daemon.web.pretending import pretending
from tests.daemon.web.serving import Serving

ENDLESS = r"^/(events|live)$"
"""Shown in other tests: they never end."""
LEAKS = (b"Traceback", b"site-packages", b"/daemon/", b'File "')


@pytest.fixture(scope="module")
def schema() -> Iterator[Any]:
    plenty = WebSettings(requests_per_s=1000, requests_at_once=100)
    with (
        tempfile.TemporaryDirectory(prefix="ww") as name,
        pretending(Path(name) / "watchword.sock"),
        Serving(Path(name) / "watchword.sock", plenty) as web,
    ):
        yield schemathesis.openapi.from_url(f"{web.address}/openapi.json").exclude(path_regex=ENDLESS)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_as_described(schema: Any, mode: GenerationMode) -> None:
    """Of requests as described, and of those that break the description."""
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 24
    tried = sum(_tried(operation, mode) for operation in operations)
    assert tried > 3 * len(operations)


def _tried(operation: Any, mode: GenerationMode) -> int:
    count = 0

    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        nonlocal count
        count += 1
        answer = case.call(timeout=20)
        case.validate_response(answer, checks=CHECKS)
        assert not [leak for leak in LEAKS if leak in answer.content]

    try:
        each()
    except Unsatisfiable:  # nothing can be wrong with a request without arguments
        return count
    return count
