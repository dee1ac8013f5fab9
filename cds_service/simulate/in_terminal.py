"""A run in; text that reads well on a terminal goes out while it goes on, and a table at its end."""

from collections.abc import Iterable
from typing import TextIO

from rich.table import Table
from rich.text import Text

from cds_service.demo.show import COLOURS, console_for
from cds_service.simulate import words
from cds_service.simulate.outcome import Evaluation, Outcome
from cds_service.simulate.remarks import Remark
from cds_service.simulate.run import Run

_WHOLE = 60  # calls that are printed whole; of later ones only those with faults
_STYLES = {"fault": "bold red", "note": "yellow"}


class Terminal:
    """Prints a run."""

    def __init__(self, out: TextIO) -> None:
        self._console = console_for(out)

    def begin(self, run: Run) -> None:
        """What is sent where, what is there, and what was asked besides the calls."""
        self._line(Text(words.what_is_sent(run.asked), "bold"))
        for one in words.warnings(run.asked):
            self._line(Text(one, "yellow"))
        found = run.discovered
        if found:
            listed = ", ".join(f"{one.id} ({one.hook})" for one in found.services) or "no services"
            self._line(Text.assemble(("discovery  ", "bold"), _plain(listed), f"  {words.milliseconds(found.ms)}"))
            self._remarks(found.remarks)
        for each in run.probes:
            self._line(Text.assemble((f"{each.about}  ", "bold"), each.found))
            self._remarks(each.remarks)
        self._console.print()

    def tell(self, outcome: Outcome) -> None:
        """One call; of many only those with faults."""
        if outcome.number == _WHOLE + 1:
            self._line(Text(f"… after {_WHOLE} calls only those with faults are printed", "dim"))
        if outcome.number > _WHOLE and not any(one.level == "fault" for one in outcome.remarks):
            return
        status = "no answer" if outcome.status is None else str(outcome.status)
        first = (f"{outcome.number:>3}  ", "dim"), (f"{outcome.hook}  ", "bold"), (outcome.who, "bold")
        self._line(Text.assemble(*first, f"  {status}  {words.milliseconds(outcome.ms)}"))
        self._line(Text(f"     {' · '.join(outcome.sent)}", "dim"))
        for card in outcome.cards or ():
            self._line(Text.assemble("     ", (f"{card.indicator:<8} ", COLOURS.get(card.indicator, "")), card.summary))
        if outcome.token_refused:
            self._line(Text("     the wrong token was refused", "dim"))
        if outcome.cards == ():
            self._line(Text("     no cards", "dim"))
        self._besides(outcome)
        self._remarks(outcome.remarks, "     ")

    def end(self, run: Run) -> None:
        """The table, with what was found how often."""
        self._remarks(run.besides)
        table = Table("", "", show_header=False, box=None, pad_edge=False)
        for name, value in words.figures(run):
            table.add_row(Text(name, "bold"), Text(value))
        self._console.print()
        self._console.print(table)
        for remark, count in run.figures.remarks.most_common():
            self._line(Text(f"{count} × {remark.level}: {remark.text}", _STYLES[remark.level]))
        self._line(Text(words.verdict(run), "bold green" if run.right else "bold red"))

    def _besides(self, outcome: Outcome) -> None:
        if outcome.evaluation:
            self._line(Text(f"     {_evaluated(outcome.evaluation)}", "dim"))
        asked = words.asked_in_words(outcome)
        if asked:
            self._line(Text(f"     FHIR server: {asked}", "dim"))
        if outcome.told:
            self._line(Text(f"     feedback: {words.told_in_words(outcome.told)}", "dim"))

    def _remarks(self, remarks: Iterable[Remark], margin: str = "") -> None:
        for one in remarks:
            self._line(Text(f"{margin}{one.level}: {one.text}", _STYLES[one.level]))

    def _line(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:500])


def _evaluated(found: Evaluation) -> str:
    parts = ["complete" if found.complete else "not complete"]
    parts += [f"held: {', '.join(found.held)}"] if found.held else []
    parts += [f"not assessed: {', '.join(found.not_assessed)}"] if found.not_assessed else []
    return "; ".join(parts)
