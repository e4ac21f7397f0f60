"""Nothing leaves the machine: a whole ingest and two answers, watched from below and from inside.

From inside, an audit hook in every Python process notes each address that is connected to or
looked up. From below, where the kernel lets us, the run has a network of its own with no way out,
and the kernel's counters tell of attempts by native code too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from corpus.offline import QUIET
from ingest import bundled
from rag import smollm2

ROOT = Path(__file__).parents[1]
WEEK = "2025-08-0*.md"
QUESTION = "Has OpenAI released an open-weight model?"
HOOK = """
import json, os, sys

def _note(event, arguments):
    if event == "socket.connect" or event == "socket.sendto":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "local"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else str(host)
    if host not in ("local", "localhost", "None", "", "::1") and not host.startswith("127."):
        with open(os.environ["NETWORK_NOTES"], "a") as notes:
            notes.write(json.dumps([event, host]) + "\\n")

sys.addaudithook(_note)
"""
WORK = """
import json, os, sys
import cli

*models, home = sys.argv[1:]

def groundwire(*arguments):
    sys.argv = ["groundwire", *arguments, "--home", home]
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0

sys.stdout, stdout = sys.stderr, sys.stdout
codes = [groundwire("ingest", os.environ["DIGESTS"]), groundwire("doctor")]
codes += [groundwire("ask", os.environ["QUESTION"], "--model", m) for m in models]
telemetry = sys.modules.get("openvino_telemetry")
print(json.dumps({"codes": codes, "telemetry": telemetry is not None, "env": dict(os.environ),
                  "ports": open("/proc/net/snmp").read()}), file=stdout)
"""
REACH_OUT = (
    "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
)
ALONE = ["unshare", "--net", "--map-root-user"]


@dataclass
class Watch:
    """Where a run is watched from, and what was seen."""

    folder: Path
    notes: list[Any] = field(default_factory=list)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "sitecustomize.py").write_text(HOOK)
        notes = self.folder / "notes"
        found = subprocess.run(
            [*alone(), sys.executable, *arguments],
            capture_output=True, text=True, cwd=ROOT, timeout=240, check=False,
            env={
                **{name: value for name, value in os.environ.items() if name not in QUIET},
                "PYTHONPATH": os.pathsep.join([str(self.folder), str(ROOT)]),
                "NETWORK_NOTES": str(notes),
                **env,
            },
        )  # fmt: skip
        self.notes = (
            [json.loads(line) for line in notes.read_text().splitlines()]
            if (notes.exists())
            else []
        )
        return found


def alone() -> list[str]:
    """The prefix of a command that gives it a network with no way out, or none."""
    if shutil.which("unshare") is None:
        return []
    tried = subprocess.run([*ALONE, "true"], capture_output=True, check=False)
    return ALONE if tried.returncode == 0 else []


def unroutable(snmp: str) -> int:
    """How many packets found no way out: the kernel's counter OutNoRoutes."""
    names, values = (line.split() for line in snmp.splitlines() if line.startswith("Ip:"))
    return int(values[names.index("OutNoRoutes")])


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    (tmp_path / "watch").mkdir()
    return Watch(tmp_path / "watch")


def test_the_watch_sees_a_child_that_reaches_out(watch: Watch) -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {REACH_OUT!r}])"
    report = f"{child}; print(open('/proc/net/snmp').read())"
    found = watch.run("-c", report)
    assert ["socket.connect", "192.0.2.1"] in watch.notes
    if alone():
        assert unroutable(found.stdout) > 0


def test_an_ingest_and_answers_reach_nothing(
    watch: Watch, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    (home / "models" / "embedders").symlink_to(models_dir / "embedders")
    models = ["extractive"]
    if smollm2.is_present(models_dir.parent):
        smollm2.folder(home / "models").symlink_to(smollm2.folder(models_dir.parent))
        models.append("smollm2")
    digests = tmp_path / "digests"
    digests.mkdir()
    for path in sorted(bundled.ARTICLES.glob(WEEK)):
        shutil.copy(path, digests)
    found = watch.run("-c", WORK, *models, str(home), DIGESTS=str(digests), QUESTION=QUESTION)
    assert found.returncode == 0, found.stderr
    seen = json.loads(found.stdout)
    assert seen["codes"][:3] == [0, 0, 0], found.stderr
    assert all(code in (0, 3) for code in seen["codes"]) and len(seen["codes"]) == 2 + len(models)
    assert watch.notes == []
    if alone():
        assert unroutable(seen["ports"]) == 0
    assert not seen["telemetry"]
    assert {name: seen["env"].get(name) for name in QUIET} == QUIET
