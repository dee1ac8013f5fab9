"""The address of a service and a date come in; each demo story is played and printed, the failed calls are counted."""

from datetime import date

from rich.console import Console

from cds_service.demo import show
from cds_service.demo.ehr import DemoEhr, Service, plain_session
from cds_service.demo.store import Charts, Story, open_charts


def play(base_url: str, as_of: date, console: Console) -> int:
    """Play all patients at the service under `base_url`; return how many calls failed (1 where none could be made)."""
    charts = open_charts(as_of)
    with plain_session() as session:
        ehr = DemoEhr(base_url.rstrip("/"), as_of, session)
        services = ehr.discover()
        if not services:
            console.print(f"No CDS services at {ehr.base_url}/cds-services", markup=False)
            return 1
        failed = sum(tell(story, charts, ehr, services, console) for story in charts.stories)
    show.addresses(console, ehr.base_url)
    return failed


def tell(story: Story, charts: Charts, ehr: DemoEhr, services: tuple[Service, ...], console: Console) -> int:
    """Play one story; return how many of its calls failed."""
    patient = charts.by_patient[story.patient_id][0]
    show.introduce(console, patient, story, charts.as_of)
    failed = 0
    for moment in story.plays:
        for service in services:
            if service.hook == moment.hook:
                exchange = ehr.call(service, story.patient_id, moment)
                show.recount(console, moment, exchange)
                failed += not exchange.answered
    return failed
