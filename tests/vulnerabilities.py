"""A lock file in; out comes which of its packages have known vulnerabilities, or plainly that nobody could be asked.

python -m tests.vulnerabilities [--ask pypi|osv]      0: none known, 1: some, 3: not known, since the service did not answer
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
NONE_KNOWN, SOME, NOT_KNOWN = 0, 1, 3


def ask(service: str, lock: Path = LOCK) -> tuple[int, list[str]]:
    """The exit status, and what to say. pip-audit takes a package that it could not ask about for a clean one; this does not."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"]
    command += ["--vulnerability-service", service, "--format", "json", "--progress-spinner", "off", "--timeout", "20"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        return judge(json.loads(ended.stdout)["dependencies"])
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return NOT_KNOWN, [f"Not known: the vulnerability service ({service}) did not answer. Nothing was checked."]


def judge(packages: Iterable[dict[str, Any]]) -> tuple[int, list[str]]:
    """What pip-audit found for each package."""
    found = list(packages)
    bad = [one for one in found if one.get("vulns")]
    skipped = [one["name"] for one in found if "vulns" not in one]
    lines = [f"{one['name']} {one['version']}: {_known(one['vulns'])}" for one in bad]
    if skipped or not found:
        lines.append(f"Not known for {len(skipped)} of {len(found)} packages: {', '.join(skipped)}")
    if bad:
        return SOME, lines
    if skipped or not found:
        return NOT_KNOWN, lines
    return NONE_KNOWN, [f"No vulnerability is known in {len(found)} packages."]


def _known(vulnerabilities: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"{one['id']}, fixed in {' or '.join(one['fix_versions']) or 'no version'}" for one in vulnerabilities
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.vulnerabilities")
    parser.add_argument("--ask", choices=["pypi", "osv"], default="osv")
    status, lines = ask(parser.parse_args().ask)
    print(*lines, sep="\n")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
