"""The Debian package, installed into a Debian of its own, used there, and purged without a trace.

The package is built as for a release. The Debian is a minimal one, unpacked by mmdebstrap and kept between
runs; each run works on a throw-away layer above it, in namespaces of its own, without a network.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.daemon.living import own_cache

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
DEPENDS = "python3,libportaudio2,espeak-ng,passwd,systemd,udev"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
TOOLS = ("mmdebstrap", "dpkg-deb", "unshare", "ip")

pytestmark = [pytest.mark.slow, pytest.mark.release, pytest.mark.timeout(600)]


def _debian(suite: str) -> Path:
    """The unpacked Debian of this machine's suite; made once."""
    root = own_cache() / f"debian-{suite}"
    if not root.is_dir():
        fresh = root.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        command = [
            "mmdebstrap",
            "--mode=root",
            "--variant=essential",
            f"--include={DEPENDS}",
            suite,
            str(fresh),
        ]
        quick = ['--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io"]
        made = subprocess.run(
            [*command[:1], *quick, *command[1:]], capture_output=True, text=True, timeout=300
        )
        if made.returncode:
            pytest.skip(f"mmdebstrap unpacks no Debian here: {made.stderr.strip().splitlines()[-1]}")
        fresh.rename(root)
    return root


def _package(folder: Path) -> Path:
    command = [str(ROOT / "script/package"), "--into", str(folder), "deb"]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    (package,) = folder.glob("watchword_*.deb")
    return package


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What each step of a package's life printed, by name."""
    missing = [tool for tool in TOOLS if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")]
    if missing or os.geteuid() != 0 or not Path("/usr/bin/python3").exists():
        pytest.skip(
            f"needs root, Debian's own Python{''.join(f', {tool}' for tool in missing)}: script/setup --test"
        )
    if subprocess.run(["unshare", "-mnpf", "true"], capture_output=True).returncode:
        pytest.skip("this sandbox lets no test have mounts of its own")
    folder = tmp_path_factory.mktemp("debian")
    suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
    with ThreadPoolExecutor(2) as both:  # one waits for the network while the other computes
        package, root = both.submit(_package, folder), both.submit(_debian, suite)
        arguments = [str(folder), str(root.result()), str(package.result()), PATH]
    result = subprocess.run(
        ["unshare", "-mnpf", "--kill-child", "sh", HERE / "layer.sh", *arguments],
        input=(HERE / "life_of_a_package.sh").read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    shutil.rmtree(folder / "upper", ignore_errors=True)
    parts = dict(part.split("\2", 1) for part in result.stdout.split("\1")[1:])
    assert "purge.code" in parts, result.stderr
    yield parts


def test_every_step_succeeds(used: dict[str, str]) -> None:
    codes = {name: int(text) for name, text in used.items() if name.endswith(".code")}
    assert {name: used[name.replace(".code", ".err")] for name, code in codes.items() if code} == {}
    assert used["version.out"].startswith("watchword ")


def test_the_doctor_finds_a_working_installation_without_a_network(used: dict[str, str]) -> None:
    findings = {one["name"]: one for one in json.loads(used["check.out"])["findings"]}
    assert {name for name, one in findings.items() if one["state"] == "fail"} == set()
    assert findings["model on CPU"]["state"] == "ok"


def test_what_root_changes_belongs_to_the_service(used: dict[str, str]) -> None:
    assert used["owners"].split("\n")[:4] == ["watchword 750", "watchword 600", "watchword 700", "root 640"]


def test_the_daemon_speaks_and_the_page_is_served(used: dict[str, str]) -> None:
    assert "says: Ready" in used["run.out"]
    assert "<!doctype html>" in used["page.out"].lower()


def test_editors_man_and_shells_find_their_files(used: dict[str, str]) -> None:
    assert used["schema"] == "{" and used["pages"] == "fine\n"


def test_an_upgrade_keeps_settings_and_removing_keeps_models(used: dict[str, str]) -> None:
    assert used["kept"] == "1\n" and used["removed"] == "fine\n"


def test_a_purge_leaves_no_trace(used: dict[str, str]) -> None:
    assert used["traces"] == ""
