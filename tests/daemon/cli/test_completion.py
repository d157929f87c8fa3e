"""What bash and zsh complete, asked of the shells themselves."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon.cli.completion import render
from daemon.cli.main import COMMANDS
from daemon.cli.pages.reference import setting_keys

CASES = [
    ("watchword ", set(COMMANDS)),
    ("watchword rep", {"replay", "repeat"}),
    ("watchword run --o", {"--once"}),
    ("watchword --config x.toml mod", {"models"}),
    ("watchword models ", {"list", "pull", "fit", "verify", "remove"}),
    ("watchword models pull --acc", {"--accept-licence"}),
    ("watchword -v config reset speech.rate_w", {"speech.rate_wpm"}),
    ("watchword config set speech.rate_w", {"speech.rate_wpm"}),
    ("watchword replay --pace ", {"real", "fast"}),
    ("watchword say --language k", {"ko"}),
    ("watchword completion ", {"bash", "zsh"}),
    ("watchword evaluate man", {"manifest.csv"}),
    ("watchword --log-level deb", {"debug"}),
    ("watchword xyz ", set()),
]

BASH = """
source {script}
cd {folder}
COMP_WORDS=({words}) COMP_CWORD={last}
_watchword 2>/dev/null
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

ZSH = r"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; cd {folder}; fpath=({functions} \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w z "zstyle ':completion:*' verbose no"
zpty -w z "compadd () {{ builtin compadd -O hits \"\$@\"; print -rl -- \"HIT:\"\${{^hits}}; }}"
zpty -w z "finished () {{ print -r -- D''ONE }}; zle -N finished; bindkey '^Xe' finished"
zpty -w z "bindkey '^I' complete-word; print R''EADY"
while zpty -r z line && [[ $line != *READY* ]]; do :; done
zpty -w -n z {words}$'\t\C-xe'
while zpty -r z line && [[ $line != *DONE* ]]; do print -r -- "${{line//$'\r'/}}"; done
print -r -- "${{line//$'\r'/}}"
zpty -d z
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The completions of both shells, and a folder with a file to complete."""
    folder = tmp_path_factory.mktemp("completion")
    (folder / "watchword").write_text(render("bash"), encoding="utf-8")
    (folder / "_watchword").write_text(render("zsh"), encoding="utf-8")
    (folder / "here").mkdir()
    (folder / "here/manifest.csv").touch()
    return folder


def _bash(folder: Path, typed: str) -> set[str]:
    words = typed.split() + ([""] if typed.endswith(" ") else [])
    program = BASH.format(
        script=folder / "watchword",
        folder=folder / "here",
        words=" ".join(map(shlex.quote, words)),
        last=len(words) - 1,
    )
    result = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=20, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_bash_completes(script: Path, typed: str, offered: set[str]) -> None:
    assert _bash(script, typed) == offered


def test_bash_takes_the_equals_sign_for_a_word_of_its_own(script: Path) -> None:
    assert _bash(script, "watchword -o speech.vol") == {"speech.volume="}
    assert _bash(script, "watchword -o speech.volume = 0.5 stat") == {"status"}
    assert _bash(script, "watchword replay --pace = r") == {"real"}


@pytest.mark.skipif(not shutil.which("zsh"), reason="needs Debian's package zsh: script/setup --test")
@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_zsh_completes(script: Path, typed: str, offered: set[str]) -> None:
    program = ZSH.format(folder=script / "here", functions=script, words=shlex.quote(typed))
    result = subprocess.run(["zsh", "-f", "-c", program], capture_output=True, text=True, timeout=30)
    assert set(re.findall(r"HIT:(\S+)", result.stdout)) == offered, result.stdout


def test_every_setting_is_offered() -> None:
    for shell in ("bash", "zsh"):
        text = render(shell)
        assert [key for key in setting_keys() if not re.search(rf"\b{re.escape(key)}\b", text)] == []
