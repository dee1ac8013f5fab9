"""`python -m cds_service` is `cds-service`."""

from cds_service.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
