"""Memory as Linux counts it, and the advice to glibc."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.memory import gigabytes, peak_bytes, resident_bytes, return_free_memory

ROOT = Path(__file__).resolve().parents[2]
ARENA_MAPPINGS = """
import threading
from pathlib import Path
from common.memory import limit_arenas

limit_arenas(2)
ready, go = threading.Barrier(9), threading.Event()
def allocate():
    kept = [bytearray(1000) for _ in range(100)]
    ready.wait(30)
    go.wait(30)
threads = [threading.Thread(target=allocate) for _ in range(8)]
[thread.start() for thread in threads]
ready.wait(30)
# glibc reserves 64 MB of addresses for each heap of a thread: one part in use, the rest without access.
lines = Path("/proc/self/maps").read_text().splitlines()
spans = [[int(end, 16) for end in line.split()[0].split("-")] for line in lines]
starts = {start >> 26 for (start, _), line in zip(spans, lines) if start % 2**26 == 0 and "rw-p" in line}
print(len(starts))
go.set()
"""


def test_a_block_that_is_used_counts_and_is_given_back() -> None:
    before = resident_bytes(os.getpid())
    block = bytearray(b"x" * 50_000_000)
    assert resident_bytes(os.getpid()) > before + 40_000_000
    assert peak_bytes(os.getpid()) >= resident_bytes(os.getpid()) - 1_000_000
    del block
    return_free_memory()
    assert resident_bytes(os.getpid()) < before + 20_000_000


def test_a_process_that_is_gone_takes_nothing() -> None:
    assert (resident_bytes(2**22 + 1), peak_bytes(2**22 + 1)) == (0, 0)


def test_small_blocks_freed_in_the_middle_of_a_heap_are_given_back() -> None:
    """What building a network leaves behind: many small blocks, freed below others that stay."""
    blocks = [bytes(2000) for _ in range(50_000)]
    last = bytes(2000)
    full = resident_bytes(os.getpid())
    del blocks
    return_free_memory()
    assert last
    assert resident_bytes(os.getpid()) < full - 50_000_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's heaps")
def test_threads_share_few_heaps() -> None:
    """In a process of its own: the limit holds for the whole of a process, and for ever."""
    found = subprocess.run(
        [sys.executable, "-c", ARENA_MAPPINGS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(found.stdout) <= 2


def test_sizes_are_written_in_gigabytes() -> None:
    assert gigabytes(3_500_000_000) == "3.5 GB"
