"""`python -m tests.smart_launcher --launcher URL`: a SMART launcher that runs in, what it launches of ours out, with a picture.

The launcher (smart-launcher-v2) is a person's own, on loopback, with FHIR_SERVER_R4=http://127.0.0.1:<demo port>/fhir.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.clients import CdsClient, key_set
from tests.sandbox.chromium import add_option, chromium
from tests.sandbox.scene import ROOT, CannotRunError, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURE = ROOT / "docs" / "real-clients" / "smart-launcher-why.png"
PATIENT, NAME, SAYS = "starting-art", "Achieng Lakeshore", "Pneumocystis prophylaxis is due"
WHOLE = "Everything that was asked for came and could be read"
# What the launcher can be told to do wrong, and the status of our page then
WRONG = {"auth_invalid_client_id": 502, "auth_invalid_scope": 502, "token_invalid_token": 502}
ENTRY = """[[issuer]]
iss = "{iss}"
jwks = "keys.json"
fhir_servers = ["{launcher}/v/r4/fhir"]
allow_private_addresses = true
smart_client_id = "immune-status-why"
"""


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 all was as promised, 1 something was not, 2 it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.smart_launcher", description=__doc__)
    parser.add_argument("--launcher", required=True, metavar="URL", help="where it runs, such as http://127.0.0.1:8090")
    parser.add_argument("--demo-port", type=int, default=8080, metavar="N", help="(default: 8080)")
    add_option(parser)
    options = parser.parse_args(arguments)
    launcher = options.launcher.rstrip("/")
    try:
        with tempfile.TemporaryDirectory() as name, chromium(options.browser) as browser:
            folder = Path(name)
            client = CdsClient()
            (folder / "keys.json").write_bytes(key_set(client.jwk(use="sig")))
            (folder / "issuers.toml").write_text(ENTRY.format(iss=client.iss, launcher=launcher), "utf-8")
            own = {"CDS_ISSUERS": str(folder / "issuers.toml"), "CDS_DATABASE_URL": f"sqlite:///{folder}/l.sqlite3"}
            with (
                running(folder, "demo", ["demo"], {}, options.demo_port),
                running(folder, "serve", ["serve", "--workers", "1"], own) as service,
            ):
                broken = list(watch(browser, launcher, service))
    except CannotRunError as fault:
        print(f"tests.smart_launcher: {fault}", file=sys.stderr)
        return 2
    print(f"not as promised: {'; '.join(broken)}" if broken else "all as promised")
    return 1 if broken else 0


def watch(browser: "Browser", launcher: str, service: str) -> Iterator[str]:
    """Prints what is seen; what was not as promised."""
    page = browser.new_context(viewport={"width": 1000, "height": 860}).new_page()
    status = launch(page, launcher, service)
    text = page.inner_text("body")
    print(f"launched: {status}, {text.splitlines()[0]}, {NAME if NAME in text else 'of nobody'}")
    page.screenshot(path=PICTURE)
    yield from (f"the page does not say: {one}" for one in (NAME, SAYS, WHOLE) if one not in text)
    for wrong, expected in WRONG.items():
        page = browser.new_context().new_page()
        status = launch(page, launcher, service, wrong)
        said = [one for one in page.inner_text("body").splitlines() if one][1]
        print(f"{wrong}: {status}, “{said}”")
        if status != expected or NAME in page.inner_text("body"):
            yield f"{wrong} is answered with {status}"


def launch(page: "Page", launcher: str, service: str, wrong: str = "") -> int:
    """Through the launcher's own pages to ours; the status of ours."""
    asked = {
        "launch_uri": f"{service}/why/launch",
        "fhir_ver": "4",
        "patient": PATIENT,
        "provider": "demo-clinician",
        "select_encounter": "true",  # the most recent one it would look for at the root of the FHIR server's host
        "auth_error": wrong,
    }
    statuses: list[int] = []
    page.on(
        "response", lambda one: statuses.append(one.status) if one.url.startswith(f"{service}/why/callback") else None
    )
    page.goto(f"{launcher}/launcher?{urlencode(asked)}")
    page.wait_for_url(lambda url: "/select-encounter" in url or "/why/callback" in url)
    if "/select-encounter" in page.url:
        page.get_by_text("ambulatory encounter").first.click()
        page.wait_for_url(f"{service}/why/callback**")
    page.wait_for_load_state()
    return statuses[-1]


if __name__ == "__main__":
    sys.exit(main())
