"""A folder and a port in; served there: a site whose month of advice is on file, and whose report asks for a password.

python -m tests.browser.closed_site FOLDER PORT
"""

import sys
from pathlib import Path

from cds_service.app import create_app
from cds_service.ledger import Ledger
from cds_service.server import Server
from cds_service.settings import Settings
from tests.browser.servers import PASSWORD
from tests.clients import BASE, CdsClient, key_set
from tests.feedback_history import tell
from tests.fixture_files import Clock


def settings(folder: Path) -> Settings:
    """A trust file with one client, a password, a ledger in which something has been said and heard."""
    client = CdsClient()
    (folder / "one.json").write_bytes(key_set(client.jwk()))
    (folder / "issuers.toml").write_text(f'[[issuer]]\niss = "{client.iss}"\njwks = "one.json"\n', "utf-8")
    (folder / "password").write_text(f"{PASSWORD}\n", "utf-8")
    return Settings(
        public_url=BASE,
        issuers=str(folder / "issuers.toml"),
        database_url=f"sqlite:///{folder / 'ledger.sqlite3'}",
        report_password_file=str(folder / "password"),
        workbench="on",
    )


if __name__ == "__main__":
    site = settings(Path(sys.argv[1]))
    ledger = Ledger(site.database_url)
    tell(ledger)
    ledger.database.close()
    Server(lambda: create_app(site, Clock()), f"127.0.0.1:{sys.argv[2]}", workers=1, threads=8).run()
