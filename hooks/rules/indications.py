"""What a drug protects against in; out comes whether that indication has lapsed, past disease considered, or why not."""

from dataclasses import replace

from hooks.advice import Lacks, Recommendation, Silent
from hooks.knowledge import Profile
from hooks.record import Fact, LabResult, Medication, PatientRecord, Problem
from hooks.rules.art import not_on_art
from hooks.rules.pneumocystis import pneumocystis_start
from hooks.rules.recovery import Criterion, Lapsed, by_count, lapsed, on_course, suppressed_now, unread
from hooks.rules.toxoplasma import known_igg
from hooks.sentences import say
from hooks.wording import day, number, short_day

_PNEUMOCYSTIS = Criterion(
    "pneumocystis-stop-cd4",
    "pneumocystis-stop-span",
    lower="pneumocystis-lapse-cd4",
    suppressed="pneumocystis-lapse-span",
    firm="pneumocystis-lapse-firm",
)
_AFTER_PNEUMONIA = Criterion("pneumocystis-stop-cd4", "pneumocystis-stop-span", cite="pneumocystis-secondary")
_TOXOPLASMA = Criterion(
    "toxoplasma-stop-cd4",
    "toxoplasma-stop-span",
    lower="toxoplasma-lapse-cd4",
    suppressed="toxoplasma-lapse-span",
    firm="toxoplasma-lapse-firm",
)
_AFTER_TOXOPLASMOSIS = Criterion("toxoplasma-stop-cd4", "toxoplasma-secondary-stop-span", cite="toxoplasma-secondary")
_MAC = Criterion("mac-stop-cd4", "mac-stop-span")


def pneumocystis(taken: tuple[Medication, ...], record: PatientRecord, profile: Profile) -> Lapsed | Silent | Lacks:
    """Against Pneumocystis: after pneumonia only by the strict rule, and never where prophylaxis would be due again at once."""
    ill = record.problems_of("pneumocystis")
    kept = _kept_for_life(ill, record, profile)
    if kept:
        return kept
    criterion = _AFTER_PNEUMONIA if ill else _PNEUMOCYSTIS
    if profile.knows("cotrimoxazole-stop"):
        criterion = replace(criterion, cite="cotrimoxazole-stop")
    history: tuple[Fact, ...] = (*ill[:1], *(count for one in ill[:1] for count in _counts_at(one, record, profile)))
    found = _with_history(lapsed(criterion, record, profile), history)
    return _due_again(taken, record, profile) or found if isinstance(found, Lapsed) else found


def toxoplasma(record: PatientRecord, profile: Profile) -> Lapsed | Silent | Lacks:
    """Against toxoplasma: after toxoplasmosis only by the rule for secondary prophylaxis."""
    ill = record.problems_of("toxoplasmosis")
    active = [one for one in ill if one.state == "active"]
    if active:
        return Silent("toxoplasmosis is active on the problem list: treatment, not prophylaxis", tuple(active[:1]))
    return _with_history(lapsed(_AFTER_TOXOPLASMOSIS if ill else _TOXOPLASMA, record, profile), ill[:1])


def toxoplasma_stands(record: PatientRecord, profile: Profile) -> Silent | Lacks | None:
    """Why a drug that covers toxoplasma too goes on for its sake; None where IgG is negative or that indication has lapsed."""
    igg = known_igg(record, profile)
    if igg == "negative":
        return None
    if not profile.knows("toxoplasma-stop-cd4"):
        ill = record.problems_of("toxoplasmosis")
        return Silent("toxoplasmosis is on the problem list: no rule for stopping after it", ill[:1]) if ill else None
    found = toxoplasma(record, profile)
    if isinstance(found, Lapsed):
        return None
    if isinstance(found, Silent):
        unknown = igg is None
        because = f"it covers toxoplasma too: {found.because}"
        return Lacks(("toxoplasma-igg",), found.facts) if unknown else Silent(because, found.facts)
    return found


def mac(record: PatientRecord, profile: Profile) -> Lapsed | Silent | Lacks:
    """Against MAC: effective ART, shown by two viral loads or, the older rule, by counts with the last viral load."""
    unable = not_on_art(record) or suppressed_now(record, profile)
    if unable:
        return unable
    found = _effective_art(record, profile)
    if found:
        return unread(("viral-load",), found.since, record) or found
    count = next(iter(record.cd4_counts), None)
    fresh = count is not None and profile.under("cd4-fresh-for-stop", count.age_days(record.as_of))
    found = by_count(_MAC, record, profile) if fresh else None
    if found:
        return unread(("cd4-count", "viral-load"), found.since, record) or found
    if record.gap("cd4-count"):
        return Lacks(("cd4-count",), record.viral_loads[:2])
    limit = number(profile.limit("suppressed"))
    return Silent(f"two viral loads below {limit} on this course of ART are not shown", record.viral_loads[:2])


def _effective_art(record: PatientRecord, profile: Profile) -> Lapsed | None:
    """The two latest viral loads of this course are suppressed."""
    latest = on_course(record.viral_loads, record)[:2]
    limit = number(profile.limit("suppressed"))
    if not latest[1:] or not profile.under("suppressed", latest[1]):
        return None
    newest, before = latest
    return Lapsed(
        said=say(
            "Viral load below {limit} copies/mL on ART on {first} and {last}",
            limit=limit,
            first=day(before.date),
            last=short_day(newest.date, record.as_of),
        ),
        strength="can",
        why=say("Effective ART is the prevention of MAC; with it prophylaxis is stopped, whatever the CD4 count."),
        cite=profile.cite("mac-effective-art"),
        facts=(newest, before, *record.cd4_counts[:1]),
        since=before.date,
    )


def _with_history(found: Lapsed | Silent | Lacks, history: tuple[Fact, ...]) -> Lapsed | Silent | Lacks:
    """The same, resting on the past disease too."""
    return replace(found, facts=(*found.facts, *history))


def _kept_for_life(ill: tuple[Problem, ...], record: PatientRecord, profile: Profile) -> Silent | None:
    """Pneumonia that is active, or that came at a count that was not low: nothing lapses."""
    active = [one for one in ill if one.state == "active"]
    if active:
        because = "Pneumocystis pneumonia is active on the problem list: treatment, not prophylaxis"
        return Silent(because, tuple(active[:1]))
    kept = tuple(one for one in ill if not _came_at_a_low_count(one, record, profile))
    if not kept or record.gap("cd4-count"):
        return None  # where a count of that time may be hidden, the criterion cannot be judged either
    facts: tuple[Fact, ...] = (*kept[:1], *_counts_at(kept[0], record, profile))
    limit = number(profile.limit("pneumocystis-episode-cd4"))
    because = f"Pneumocystis pneumonia at a CD4 count that is unknown or not below {limit}: prophylaxis is for life"
    return Silent(because, facts)


def _came_at_a_low_count(episode: Problem, record: PatientRecord, profile: Profile) -> bool:
    counts = _counts_at(episode, record, profile)
    return bool(counts) and all(profile.under("pneumocystis-episode-cd4", one) for one in counts)


def _counts_at(episode: Problem, record: PatientRecord, profile: Profile) -> tuple[LabResult, ...]:
    """The count nearest to its onset, or two that are as near; none where onset or counts of that time are unknown."""
    onset = episode.onset
    apart = {one: abs((one.date - onset).days) for one in record.cd4_counts} if onset else {}
    near = min((days for days in apart.values() if profile.under("episode-window", days)), default=None)
    return tuple(one for one, days in apart.items() if days == near)


def _due_again(taken: tuple[Medication, ...], record: PatientRecord, profile: Profile) -> Silent | None:
    """What would ask for it at once, were it ended today: no start–stop loop."""
    ended = tuple(
        replace(one, current=False, until=record.as_of) if one in taken else one for one in record.medications or ()
    )
    again = pneumocystis_start(replace(record, medications=ended, draft_orders=()), profile)
    if isinstance(again, Recommendation):
        return Silent("without it, prophylaxis would be due again at once", again.facts)
    return None
