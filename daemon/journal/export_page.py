"""The index page of an exported journal: readable in any browser, without scripts and without a network."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import groupby
from typing import Any

from daemon.journal.event_words import event_words

INDEX = "index.html"
_STYLE = """
:root { color-scheme: light dark; --ground: #f4f5f7; --card: #fff; --text: #171b22; --quiet: #525b6b;
  --line: #dfe3e9; --critical: #b01020; --warning: #7a4300; --notice: #174f86; }
@media (prefers-color-scheme: dark) { :root { --ground: #101318; --card: #181c23; --text: #e8ebf0;
  --quiet: #a6afbe; --line: #2b313b; --critical: #ffa3a9; --warning: #ffce85; --notice: #a5cdf8; } }
body { font: 0.9375rem/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 64rem; padding: 0 1rem;
  color: var(--text); background: var(--ground); overflow-wrap: anywhere; }
h1 { font-size: 1.375rem; } h2 { font-size: 1.125rem; margin: 1.5rem 0 0.5rem; }
p, time, .kind { color: var(--quiet); font-size: 0.8125rem; }
ol { list-style: none; margin: 0; padding: 0 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.75rem; }
li { display: grid; grid-template-columns: 4.5rem 6rem 1fr auto; gap: 0 1rem; align-items: center;
  padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
li:last-child { border-bottom: 0; }
time { font-variant-numeric: tabular-nums; }
.alert strong { font-weight: 650; } .critical strong { color: var(--critical); }
.warning strong { color: var(--warning); } .notice strong { color: var(--notice); }
strong { font-weight: 400; } .speak strong { font-weight: 600; }
img { display: block; width: 8rem; border-radius: 0.25rem; }
@media (max-width: 40rem) { li { grid-template-columns: 4.5rem 1fr; } }
"""


def index_page(events: Iterable[Mapping[str, Any]]) -> str:
    """The page of these events, the newest first, by day; `picture` is the address of an event's picture."""
    found = list(events)
    days = groupby(found, lambda event: time.strftime("%Y-%m-%d", time.localtime(event["wall_s"])))
    body = "\n".join(line for day, of_day in days for line in _day(day, of_day))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Watchword: journal</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Watchword: journal</h1>
<p>{len(found)} events, the newest first. <a href="events.jsonl">events.jsonl</a> has all their fields.</p>
{body}
</body>
</html>
"""


def _day(day: str, events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield f"<h2>{day}</h2>"
    yield "<ol>"
    yield from map(_event, events)
    yield "</ol>"


def _event(event: Mapping[str, Any]) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(event["wall_s"]))
    kind, words = escape(str(event["kind"])), escape(event_words(event))
    language = f' lang="{escape(str(event["language"]))}"' if event.get("language") else ""
    severity = escape(str(event.get("severity", "")))
    picture = ""
    if file := event.get("picture"):
        address = escape(str(file))
        picture = f'<a href="{address}"><img src="{address}" alt="The view: {words}" loading="lazy"></a>'
    return (
        f'<li class="{kind} {severity}"><time>{when}</time><span class="kind">{kind}</span>'
        f"<strong{language}>{words}</strong>{picture}</li>"
    )
