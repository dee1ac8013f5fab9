"""`python -m tests.sandbox --sandbox DIR`: a built CDS Hooks Sandbox in, what was seen in it and its pictures out.

The service is `cds-service serve` with a trust file, the charts are those of `cds-service demo`; all of it on loopback.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.sandbox.chromium import add_option, chromium
from tests.sandbox.scene import ROOT, CannotRunError, Scene, laid
from tests.sandbox.seen import Sandbox
from tests.sandbox.story import GIVEN, Story

PICTURES = ROOT / "docs" / "real-clients"


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 all was as promised, 1 something was not, 2 it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description=__doc__)
    parser.add_argument("--sandbox", type=Path, required=True, metavar="DIR", help="a CDS Hooks Sandbox that was built")
    parser.add_argument("--pictures", type=Path, default=PICTURES, metavar="DIR", help="(default: docs/real-clients)")
    add_option(parser)
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder, laid(options.sandbox, Path(folder)) as scene:
            broken = watch(scene, options)
    except CannotRunError as fault:
        print(f"tests.sandbox: {fault}", file=sys.stderr)
        return 2
    print(f"not as promised: {'; '.join(broken)}" if broken else "all as promised")
    return 1 if broken else 0


def watch(scene: Scene, options: argparse.Namespace) -> list[str]:
    """Prints what is seen; what was not as promised."""
    options.pictures.mkdir(parents=True, exist_ok=True)
    with chromium(options.browser) as browser:
        story = Story(Sandbox(browser.new_page(), scene, options.pictures), scene)
        for line in story.tell():
            print(line, flush=True)
    return story.broken + recorded(scene.database_url)


def recorded(database_url: str) -> list[str]:
    """Prints what `cds-service report` tells of feedback in the ledger; what is not in it."""
    environment = os.environ | {"CDS_DATABASE_URL": database_url}
    command = [sys.executable, "-m", "cds_service", "report", "--format", "json"]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    kept = set()
    for one in json.loads(found.stdout)["rules"]:
        reasons = [name for name, times in one["overriddenByReason"].items() if times]
        kept |= {(one["rule"], outcome) for outcome in ("accepted", *reasons) if one.get(outcome, 1)}
        if one["accepted"] or reasons:
            print(
                f"ledger: {one['rule']}: accepted {one['accepted']}, overridden {one['overridden']} {', '.join(reasons)}"
            )
    return [f"{rule} is not {outcome} in the ledger" for rule, outcome in sorted(GIVEN - kept)]


if __name__ == "__main__":
    sys.exit(main())
