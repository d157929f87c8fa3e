"""`watchword replay FILE`: make the daemon's decisions on a recording, in stream time."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from daemon.config.settings import Settings
from daemon.core.black_box import SUFFIX, Recording
from daemon.core.events import Event
from daemon.errors import CommandError, UsageError
from daemon.explain.sources import event_of
from daemon.journal.paths import JournalPaths
from daemon.journal.reader import reading
from daemon.replay.replay import ReplaySink
from daemon.tools.silent_replay import NoSink
from daemon.wiring.describer import build_describer
from daemon.wiring.detector import DetectorBundle, build_detector
from daemon.wiring.replay import build_replay
from daemon.wiring.sources import open_recorded
from daemon.wiring.voice import build_renderer, prepare_phrases
from pipeline.description.status import WatchedDescriber
from speech.playback.wav_timeline import WavTimeline
from speech.synthesis.espeak import EspeakSynthesizer


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "file", nargs="?", help=f"a video, a folder of pictures, demo, or a black box (*{SUFFIX})"
    )
    what.add_argument(
        "--journal", metavar="EVENT", help="repeat an alert's decision from its black box: an id, or #ROW"
    )
    parser.add_argument(
        "--events", type=Path, metavar="OUT.jsonl", help="write every event there, one JSON a line"
    )
    parser.add_argument(
        "--wav", type=Path, metavar="OUT.wav", help="write what is said there, on stream time"
    )
    parser.add_argument(
        "--pace", choices=("real", "fast"), default="fast", help="as recorded, or as fast as it goes"
    )
    parser.add_argument(
        "--black-box", type=Path, metavar="FOLDER", help="keep a black box of every alert in this folder"
    )


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Replay a recording, or repeat a black box. Returns 1 if a black box gives other events."""
    if args.journal is not None:
        return _decide_again(args.journal, settings)
    outputs = {"--events": args.events, "--wav": args.wav}
    if args.file.endswith(SUFFIX):
        if given := [option for option, path in outputs.items() if path is not None]:
            raise UsageError(f"{', '.join(given)}: a black box is only repeated; name a recording")
        return _repeat(Path(args.file))
    # Opening an output truncates it; it must not be the recording that is to be read.
    _keep_apart({"the recording": Path(args.file), **outputs})
    return _replay(args, settings)


def _keep_apart(files: Mapping[str, Path | None]) -> None:
    """Raises UsageError if two options name the same file, of which one would overwrite the other."""
    known: dict[Path, str] = {}
    for what, path in files.items():
        if path is None:
            continue
        twin = next((of for other, of in known.items() if _is_same(path, other)), None)
        if twin is not None:
            raise UsageError(f"{what} {path}: is {twin} as well; name another file")
        known[path] = what


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        # Compares inodes, so that links and relative paths are resolved.
        return one.samefile(other)
    # One of the two does not exist yet.
    return one.absolute() == other.absolute()


def _replay(args: argparse.Namespace, settings: Settings) -> int:
    if args.black_box is not None:
        _try_out(args.black_box)
    camera = open_recorded(settings, args.file)
    try:
        detector = build_detector(settings)
        with (
            EspeakSynthesizer(settings.speech) as synthesizer,
            _events(args.events) as write,
            _sink(args.wav, settings) as sink,
            _describer(settings, detector) as describer,
        ):
            renderer = build_renderer(settings, synthesizer)
            # As in the daemon: phrases synthesised during the replay would begin later in stream time.
            prepare_phrases(renderer, detector.spec)
            replay = build_replay(
                settings=settings,
                bundle=detector,
                voice=renderer,
                sink=sink,
                describer=describer,
                write=_noting(write, args.note),
                real_time=args.pace == "real",
                black_boxes=args.black_box,
            )
            summary = replay.run(camera)
    finally:
        camera.close()
    _print(summary)
    return 0


def _print(summary: Event) -> None:
    f = summary.fields
    wall_s = summary.timing["wall_s"]
    sys.stdout.write(
        f"{f['frames']} frames, {f['assessed']} assessed, {f['skipped']} skipped in {wall_s:.1f} s; "
        f"{f['alerts']} alerts, {f['scenes']} views, {f['spoken']} things said\n"
    )


def _try_out(folder: Path) -> None:
    """Check that black boxes can be written, before the replay. Raises CommandError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A temporary file is deleted when it is closed.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise CommandError(
            f"--black-box {folder}: cannot be written: {error.strerror}; name a folder of your own"
        ) from error


@contextmanager
def _describer(settings: Settings, detector: DetectorBundle) -> Iterator[WatchedDescriber | None]:
    """The configured describer; its process ends with the replay."""
    # Not idle: nothing else competes for the processor.
    describer = build_describer(settings, detector.model, idle=False)
    try:
        yield describer
    finally:
        if describer is not None:
            describer.close()


@contextmanager
def _sink(path: Path | None, settings: Settings) -> Iterator[ReplaySink]:
    if path is None:
        yield NoSink()
        return
    yield WavTimeline(path, settings.speech.sample_rate)


@contextmanager
def _events(path: Path | None) -> Iterator[Callable[[Event], None]]:
    if path is None:
        yield _narrate
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--events {path}: cannot be written: {error.strerror}") from error
    with file:

        def write(event: Event) -> None:
            try:
                print(event.to_json(), file=file, flush=True)
            except OSError as error:
                raise CommandError(f"--events {path}: cannot be written: {error.strerror}") from error

        yield write


def _noting(write: Callable[[Event], None], note: Callable[[str], None]) -> Callable[[Event], None]:
    """`write`, with a progress note at each event."""

    def noted(event: Event) -> None:
        note(f"{event.t:.0f} s of the recording")
        write(event)

    return noted


def _concerns(line: str) -> tuple[str, str]:
    event = json.loads(line)
    return event["id"], event["cause"]


def _narrate(event: Event) -> None:
    """Show alerts and spoken text on the terminal."""
    words = {
        "alert": "{hazard} ({severity}, {probability:.2f})",
        "direction": "{hazard}: {direction}",
        "clear": "{hazard} is over",
        "speak": "says: {text}",
        "health": "{component}: {reason}",
    }.get(event.kind)
    if words:
        sys.stdout.write(f"{event.t:8.2f} s  {event.kind:9} {words.format(**event.fields)}\n")


def _decide_again(wanted: str, settings: Settings) -> int:
    """Repeat the decision of an alert in the journal, from its black box. Raises CommandError."""
    with reading(JournalPaths.in_state(settings.paths.state)) as reader:
        event = event_of(reader, wanted)
        if event is None:
            raise CommandError(f"{wanted}: not in the journal; `watchword journal` shows what is", "unknown")
        return _repeat(reader.recording_file(event["row"]), event["id"])


def _repeat(path: Path, about: str | None = None) -> int:
    """Repeat a black box and compare the events. Prints all events, or those that concern event `about`."""
    recording = Recording.load(path)
    now = recording.repeat()
    for line in now:
        if about is None or about in _concerns(line):
            sys.stdout.write(f"{line}\n")
    if now == recording.events:
        sys.stdout.write(f"repeated exactly: {len(now)} events from {len(recording.entries)} steps\n")
        return 0
    # Not strict: the two lists may differ in length, which is reported too.
    differing = sum(a != b for a, b in zip(now, recording.events, strict=False))
    sys.stdout.write(
        f"not the same: {differing} of {len(recording.events)} events differ, {len(now)} now; "
        "was the box made by another version?\n"
    )
    return 1
