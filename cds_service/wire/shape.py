"""What a client can show and use of a card in; out comes the card as this client wants it. The rules know nothing of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How one client wants its cards. The defaults are what CDS Hooks allows."""

    discreet: bool = False  # the face of a card tells nothing of the infection


STANDARD = Shape()
