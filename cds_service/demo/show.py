"""What the demo EHR played and the service answered come in; text that reads well on a terminal goes out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, TextIO

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from cds_service.demo.ehr import Exchange
from cds_service.demo.store import Play, Resource, Story, age_on
from cds_service.home.connect import sandbox_query

COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan"}
DOES = {"patient-view": "Opens the chart", "order-select": "Selects", "order-sign": "Signs"}
EVALUATION = "org.immune-status-cds.evaluation"
FIXTURE = "cd4-120-starting-art"


def console_for(stream: TextIO) -> Console:
    """Give a console; where nobody watches it is 100 columns wide and writes no colour codes."""
    if stream.isatty():
        return Console(file=stream, highlight=False)
    return Console(file=stream, highlight=False, width=100, force_terminal=False, color_system=None)


def introduce(console: Console, patient: Resource, story: Story, as_of: date) -> None:
    """Say who it is and what the story is."""
    name, place = patient["name"][0], patient["address"][0]
    who = f"{' '.join(name['given'])} {name['family']}"
    console.print()
    console.rule(Text(story.title, "bold"), style="dim", align="left")
    line = Text.assemble((who, "bold"), f", {age_on(patient['birthDate'], as_of)} years, {place['city']}. ")
    console.print(line.append(story.sentence))


def recount(console: Console, play: Play, exchange: Exchange) -> None:
    """Say what the clinician does, and print the cards or the reason why there is none."""
    console.print()
    doing = Text.assemble((DOES.get(play.hook, "Fires the hook"), "bold"), (f"  {play.hook}", "dim"))
    console.print(doing)
    for order in play.orders:
        console.print(Text(f"  · {order.display}"))
    if not exchange.answered or exchange.response is None:
        how = f"status {exchange.status}" if exchange.status else "no answer"
        console.print(Text(f"  The call failed: {how}", "bold red"))
        return
    for card in exchange.response["cards"]:
        console.print(panel(card, links=console.is_terminal))
    if not exchange.response["cards"]:
        console.print(silence(exchange.response))


def panel(card: Mapping[str, Any], *, links: bool) -> Panel:
    """Frame one card: indicator, summary, detail, the suggestions as buttons, the source."""
    indicator = str(card.get("indicator", "info"))
    colour = COLOURS.get(indicator, "cyan")
    parts: list[RenderableType] = [Text(str(card.get("summary", "")), "bold")]
    if card.get("detail"):
        parts += [Text(), Markdown(str(card["detail"]), hyperlinks=links)]
    if card.get("suggestions"):
        parts += [Text(), *(button(one, colour) for one in card["suggestions"])]
    parts += [Text(), source(card.get("source", {}))]
    title = Text(indicator.upper(), f"bold {colour}")
    return Panel(Group(*parts), title=title, title_align="left", border_style=colour, padding=(0, 1))


def button(suggestion: Mapping[str, Any], colour: str) -> Text:
    return Text.assemble(("[ ", colour), str(suggestion.get("label", "")), (" ]", colour))


def source(named: Mapping[str, Any]) -> Text:
    address = f" · {named['url']}" if named.get("url") else ""
    return Text(f"Source: {named.get('label', 'not named')}{address}", "dim")


def silence(response: Mapping[str, Any]) -> Padding:
    """Say quietly that there is nothing to say, and what was looked at."""
    evaluation = response.get("extension", {}).get(EVALUATION, {})
    lines = ["No cards: nothing to say."]
    if evaluation.get("complete") is False:
        lines = ["No cards, though not everything could be read."]
    lines += [f"{said}: {', '.join(rules)}." for said, rules in assessed(evaluation.get("findings", ())) if rules]
    return Padding(Text("\n".join(lines), "dim"), (0, 0, 0, 2))


def assessed(findings: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Group the rules by their outcome, with what a held one waits for and what an unassessed one lacked."""
    known = list(findings)
    yield "Assessed", [str(one["rule"]) for one in known if one["outcome"] in ("silent", "recommended")]
    yield "Held back", [f"{one['rule']} ({one.get('why')})" for one in known if one["outcome"] == "held"]
    lacking = [one for one in known if one["outcome"] == "not-assessed"]
    yield "Not assessed", [f"{one['rule']} (no {', '.join(one.get('missing', ()))})" for one in lacking]


def addresses(console: Console, base_url: str) -> None:
    """Print the addresses to try next, each on one line so that it can be copied."""
    sandbox = sandbox_query(base_url, charts=True)
    rows = [
        ("For people", base_url),
        ("Services", f"{base_url}/cds-services"),
        ("Report", f"{base_url}/report"),
        ("Workbench", f"{base_url}/workbench"),
        ("Why page", f"{base_url}/ehr opens it as the link of a card does"),
        ("Charts (FHIR R4)", f"{base_url}/fhir/metadata"),
        ("CDS Hooks Sandbox", f"run it on this machine and add to its address: {sandbox}"),
    ]
    console.print()
    console.rule(Text("Addresses to try", "bold"), style="dim", align="left")
    for label, address in rows:
        console.print(Text.assemble((f"{label:<19}", "bold"), address), soft_wrap=True)
    console.print(Text("Ask for a card yourself:", "bold"))
    send = f"curl -s -H 'Content-Type: application/json' -d @- {base_url}/cds-services/immune-status-order-sign"
    console.print(Text(f".venv/bin/cds-service fixture {FIXTURE} | {send}"), soft_wrap=True)
