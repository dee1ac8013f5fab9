"""The answer to discovery in; the services that it lists, as far as they can be called, go out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from cds_service.simulate.judge import judge_discovery
from cds_service.simulate.peer import Answer
from cds_service.simulate.remarks import Remark, is_text, objects


@dataclass(frozen=True, slots=True)
class Service:
    """One service that is listed."""

    id: str
    hook: str
    templates: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it is, below the address of discovery; whatever its id is, it stays one part of a path."""
        return f"/{quote(self.id, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What discovery brought."""

    ms: float
    services: tuple[Service, ...]
    remarks: tuple[Remark, ...]


def discovered(answer: Answer) -> Discovered:
    """The services with an id and a hook; a template that is no text is left out."""
    listed, _ = objects("", answer.object, "services") if answer.status == 200 else ([], [])
    services = tuple(
        Service(one["id"], one["hook"], _templates(one.get("prefetch")))
        for one in listed
        if is_text(one.get("id")) and is_text(one.get("hook"))
    )
    return Discovered(ms=answer.ms, services=services, remarks=tuple(judge_discovery(answer)))


def _templates(prefetch: object) -> dict[str, str]:
    given = prefetch if isinstance(prefetch, dict) else {}
    return {key: one for key, one in given.items() if isinstance(one, str)}
