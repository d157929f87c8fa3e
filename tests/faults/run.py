"""Injects faults into the real running daemon: `script/faults [--short] [--only WORD] [--page FILE]`.

Each result is written as soon as it is there; a run that was interrupted goes on where it ended (`--anew`
begins again). After each fault a real alert must be spoken and heard at the sink. Exit 1 if anything went
unnoticed, was not recovered from in time, or did not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from daemon import paths
from daemon.bench.loudspeaker import available
from tests.faults.fault import Fault, NotHereError, Row
from tests.faults.rows import ALL
from tests.faults.world import World

RESULTS = Path(tempfile.gettempdir()) / f"watchword-faults-{os.getuid()}.jsonl"
RECOVERY_S = 5.0
"""Seconds after the cause is gone in which a danger must be heard; the clip shows one every three."""
PAUSE_S = 4.0
"""The clip raises its alert again after so long: no sign of a slow recovery."""
PATIENCE_S = 30.0

Result = dict[str, Any]


def measure(world: World, fault: Fault) -> Result:
    """Inject a fault, wait until it is told, mend it, and wait until a danger is heard."""
    result: Result = {"fault": fault.name, "noticed_s": None, "told": None, "recovered_s": None}
    if world.await_danger(PATIENCE_S) is None:
        return {**result, "ok": False, "why": "no danger was heard before the fault"}
    after, began_s = world.living.heard, time.monotonic()
    fault.inject(world)
    if fault.told is not None:
        result["told"] = world.await_told(fault.told, after, fault.limit_s + 5)
        result["noticed_s"] = round(time.monotonic() - began_s, 1)
    else:
        time.sleep(fault.lasts_s)
    fault.mend(world)
    recovered_s = world.await_danger(PATIENCE_S)
    result["recovered_s"] = None if recovered_s is None else round(recovered_s, 1)
    result["why"] = _why(fault, result)
    return {**result, "ok": not result["why"]}


def _why(fault: Fault, result: Result) -> str:
    if fault.told is not None and result["told"] is None:
        return "not told"
    if fault.told is not None and result["noticed_s"] > fault.limit_s + 1:
        return "told late"
    if result["recovered_s"] is None:
        return "no danger was heard afterwards"
    return "" if result["recovered_s"] <= RECOVERY_S + PAUSE_S else "recovered late"


def attempt(world: World, row: Row) -> Result:
    """The result of a row: of a fault as measured, of a check whether it holds, and how."""
    try:
        if isinstance(row, Fault):
            return measure(world, row)
        return {"fault": row.name, "told": row.check(world), "ok": True, "why": ""}
    except NotHereError as error:
        return {"fault": row.name, "told": None, "ok": True, "why": f"not tried: {error}"}
    except Exception as error:  # whatever it is, the next ones are to be tried too
        return {"fault": row.name, "told": None, "ok": False, "why": f"{type(error).__name__}: {error}"}


def results_of(rows: Sequence[Row], models: Path) -> Iterator[Result]:
    """One after the other, each in its stage, which is set anew after a row that failed."""
    for stage, group in groupby(rows, lambda row: row.stage):
        waiting = list(group)
        while waiting:
            with (
                tempfile.TemporaryDirectory(prefix="wf") as folder,
                World(Path(folder), models, stage) as world,
            ):
                while waiting:
                    result = attempt(world, waiting.pop(0))
                    yield result
                    if not result["ok"]:
                        break  # what is left of it must not spoil the next rows


def table(results: Iterable[Mapping[str, Any]]) -> str:
    """The results as a table in Markdown."""
    head = "| fault | noticed after s | told, or how it held | danger heard again after s | |"
    lines = [head, "|---|--:|---|--:|---|"]
    for one in results:
        cells = [one["fault"], one.get("noticed_s"), one["told"], one.get("recovered_s")]
        shown = ["" if cell is None else str(cell).replace("|", "/").replace("\n", " ") for cell in cells]
        held = one["why"] or "yes" if one["ok"] else f"**no**: {one['why'][:200]}"
        lines.append(f"| {' | '.join(shown)} | {held} |")
    return "\n".join(lines) + "\n"


def write_page(page: Path, text: str) -> None:
    """Put the table between its marks."""
    begin, end = "<!-- faults -->\n", "<!-- end of faults -->"
    before, _, rest = page.read_text().partition(begin)
    page.write_text(f"{before}{begin}{text}{end}{rest.partition(end)[2]}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="some of each kind, in two and a half minutes")
    parser.add_argument("--only", action="append", help="those whose name contains this; may be repeated")
    parser.add_argument("--anew", action="store_true", help="forget the results of an interrupted run")
    parser.add_argument("--page", type=Path, help="write the table into this page")
    args = parser.parse_args()
    if not available():
        needs = "needs Debian's packages pulseaudio, pulseaudio-utils and libasound2-plugins"
        sys.stderr.write(f"script/faults: NOTHING WAS TRIED: {needs}\n")
        return 0 if os.environ.get("CI") else 1  # as the tests that want a sound server are skipped
    os.umask(0)  # what is written must not depend on it
    if args.anew:
        RESULTS.unlink(missing_ok=True)
    known = {}
    if RESULTS.exists():
        known = {one["fault"]: one for one in map(json.loads, RESULTS.read_text().splitlines()) if one["ok"]}
    chosen = [
        one
        for one in ALL
        if any(word in one.name for word in args.only or [""])
        and (one.short or not args.short)
        and one.name not in known
    ]
    results = list(known.values())
    models = Path(paths.resolved({}, os.environ)["models"])
    for result in results_of(chosen, models):
        results.append(result)
        with RESULTS.open("a") as file:
            file.write(json.dumps(result) + "\n")
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    if args.page:
        order = [one.name for one in ALL]
        results.sort(key=lambda one: order.index(one["fault"]) if one["fault"] in order else 0)
        write_page(args.page, table(results))
    return 0 if all(one["ok"] for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
