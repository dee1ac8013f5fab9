"""Services, guideline profiles and switches in; out come the rules as the page for people shows them, with all they rest on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.home.topics import by_topic
from hooks import Service
from hooks.assess import Rule
from hooks.knowledge import Profile, Regimen, Source
from hooks.knowledge.report import Resting, rests
from hooks.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Ground:
    """A number or a sentence that a rule rests on; `under`: the guidelines where they do not all have this one."""

    what: Resting
    under: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One rule on the page."""

    rule: Rule
    hooks: tuple[str, ...]
    grounds: tuple[Ground, ...]
    sources: tuple[Source, ...]  # under the site's own guideline; none where it leaves the rule out
    left_out_by: tuple[str, ...]  # titles of guidelines
    state: str  # live, shadow, off
    quiet: Mapping[str, int]  # reason -> days, where the rule has its own


@dataclass(frozen=True, slots=True)
class Order:
    """What a card can suggest for a purpose, and under which guidelines."""

    purpose: str
    regimen: Regimen
    ground: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is live at a site; `shadow` and `off`: the rules it has switched, `all` standing for all of them."""

    services: tuple[Service, ...]
    profile: Profile
    profiles: Mapping[str, Profile]
    shadow: frozenset[str]
    off: frozenset[str]


def topics(site: Site) -> dict[Sentence, tuple[Shown, ...]]:
    """Every rule of every service, by topic."""
    rules = {rule.id: rule for service in site.services for rule in service.rules}
    held = _by_key(site.profiles)
    return {topic: tuple(_shown(one, site, held) for one in found) for topic, found in by_topic(rules.values()).items()}


def _shown(rule: Rule, site: Site, held: Mapping[str, tuple[Resting, ...]]) -> Shown:
    users = {name: one for name, one in site.profiles.items() if rule.id not in one.left_out}
    keys = (*rule.cites, *rule.may_cite)
    return Shown(
        rule=rule,
        hooks=tuple(one.hook for one in site.services if rule in one.rules),
        grounds=tuple(ground for key in keys for ground in _grounds(held.get(key, ()), users)),
        sources=_sources(keys, site.profile) if site.profile.name in users else (),
        left_out_by=tuple(one.title for name, one in site.profiles.items() if name not in users),
        state=_state(rule.id, site),
        quiet=site.profile.knowledge.quiet.rules.get(rule.id, {}),
    )


def _sources(keys: Iterable[str], profile: Profile) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(profile.cite(key).source for key in keys if profile.knows(key)))


def _state(rule: str, site: Site) -> str:
    if rule in site.off:
        return "off"
    return "shadow" if {rule, "all"} & site.shadow else "live"


def of_every_rule(services: Iterable[Service], profiles: Mapping[str, Profile]) -> tuple[Ground, ...]:
    """What no single rule cites: it holds for all of them."""
    cited = {key for service in services for rule in service.rules for key in (*rule.cites, *rule.may_cite)}
    left = (found for key, found in _by_key(profiles).items() if key not in cited)
    return tuple(ground for found in left if found[0].kind != "regimen" for ground in _grounds(found, profiles))


def orders(profiles: Mapping[str, Profile]) -> tuple[Order, ...]:
    """Every regimen that a card can suggest: by purpose, and there in the order in which a guideline prefers them."""
    found = {}
    for ground in (one for held in _by_key(profiles).values() for one in _grounds(held, profiles)):
        if ground.what.kind == "regimen":
            purpose, _, key = ground.what.key.partition(": ")
            chosen = [one.key for one in profiles[ground.what.profiles[0]].regimens[purpose]]
            regimen = profiles[ground.what.profiles[0]].knowledge.regimens[key]
            found[purpose, chosen.index(key), ground.what.profiles] = Order(purpose, regimen, ground)
    return tuple(found[place] for place in sorted(found))


def _by_key(profiles: Mapping[str, Profile]) -> dict[str, tuple[Resting, ...]]:
    found: dict[str, tuple[Resting, ...]] = {}
    for one in rests(profiles):
        found[one.key] = (*found.get(one.key, ()), one)
    return found


def _grounds(held: Iterable[Resting], users: Mapping[str, Profile]) -> Iterable[Ground]:
    """Of the guidelines that use it; named where they are not all of them."""
    for one in held:
        under = tuple(users[name].title for name in one.profiles if name in users)
        if under:
            yield Ground(one, () if len(under) == len(users) else under)
