"""One answer's time: what is left of it at every step, and how long each step may take."""

from time import monotonic

_FOR_THE_REST = 0.1  # seconds kept for reading the chart and writing the answer once everything has come
_FOR_EACH_MEGABYTE = 0.06  # of the request, which has to be read as well
_MOST_KEPT = 0.5  # of the whole


class Budget:
    """Runs from the head of the request; stands still while the client sends its body, which is its own affair."""

    def __init__(self, milliseconds: int) -> None:
        self._started = monotonic()
        self.seconds = milliseconds / 1000

    @property
    def left(self) -> float:
        """Seconds until the answer is due; zero when they are over."""
        return max(0.0, self._started + self.seconds - monotonic())

    def set(self, milliseconds: int) -> None:
        """Once it is known who calls: the deadline of that client."""
        self.seconds = milliseconds / 1000

    def excuse(self, seconds: float) -> None:
        """Adds time that somebody else took."""
        self._started += seconds

    def to_fetch(self, body: int) -> float:
        """The moment (`time.monotonic`) by which fetching must end, so that a body of so many bytes can still be answered."""
        kept = min(_FOR_THE_REST + _FOR_EACH_MEGABYTE * body / (1 << 20), _MOST_KEPT * self.seconds)
        return self._started + self.seconds - kept
