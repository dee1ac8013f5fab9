"""A size in, a disk of that size out, for those who are run inside: filled to the last byte, and emptied again.

A tmpfs in a mount namespace of its own, so that nothing else on this machine sees it and it is gone with its holder. Root may
have that, and where the kernel lets users have namespaces everybody. Elsewhere the servers' own files may grow no further.
"""

import os
import resource
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.load.replicas import ROOT

_HOLDER = 'mount -t tmpfs -o size="$1",mode=0777 tmpfs "$2" && echo ready && exec cat'  # until its input ends, as we do
_PIECE = 1 << 20
_NO_LARGER = 1 << 15  # bytes


class Disk(Protocol):
    """`inside`: the words of a command that runs another one where `folder` is."""

    @property
    def kind(self) -> str:
        """What it is made of."""

    @property
    def folder(self) -> Path:
        """As those inside see it."""

    @property
    def inside(self) -> tuple[str, ...]:
        """Before a command."""

    def fill(self, servers: Iterable[int]) -> None:
        """To the last byte. `servers`: the processes that write."""

    def make_room(self, servers: Iterable[int]) -> None:
        """As it was."""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """`holder`: the process whose namespaces it lives in."""

    kind: str
    folder: Path
    holder: int

    @property
    def inside(self) -> tuple[str, ...]:
        """Before a command."""
        own = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        return ("nsenter", f"--target={self.holder}", "--mount", *own, f"--wd={ROOT}")

    @property
    def _filler(self) -> Path:
        return Path(f"/proc/{self.holder}/root{self.folder}/filler")

    def fill(self, _: Iterable[int]) -> None:
        """To the last byte."""
        with self._filler.open("ab", buffering=0) as filler:
            piece = _PIECE
            while piece:
                try:
                    filler.write(bytes(piece))
                except OSError:
                    piece //= 2

    def make_room(self, _: Iterable[int]) -> None:
        """As it was."""
        self._filler.unlink()


@dataclass(frozen=True, slots=True)
class LimitedFiles:
    """No disk of its own: no file of the servers may grow beyond a few pages."""

    kind: str
    folder: Path
    inside: tuple[str, ...] = ()

    def fill(self, servers: Iterable[int]) -> None:
        """A write beyond the limit fails, as it does on a full disk."""
        for one in servers:
            _, most = resource.prlimit(one, resource.RLIMIT_FSIZE)
            resource.prlimit(one, resource.RLIMIT_FSIZE, (_NO_LARGER, most))

    def make_room(self, servers: Iterable[int]) -> None:
        """As it was."""
        for one in servers:
            _, most = resource.prlimit(one, resource.RLIMIT_FSIZE)
            resource.prlimit(one, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def small_disk(size: str) -> Iterator[Disk]:
    """`size` as mount has it."""
    with tempfile.TemporaryDirectory(prefix="disk-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's account is another than root's
        with _mounted(Path(folder), size) as disk:
            yield disk


@contextmanager
def _mounted(folder: Path, size: str) -> Iterator[Disk]:
    own = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    command = ["unshare", "--mount", *own, "sh", "-c", _HOLDER, "sh", size, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin
        assert holder.stdout
        try:
            if holder.stdout.readline() == b"ready\n":
                yield SmallDisk(f"a tmpfs of {size}", folder, holder.pid)
            else:
                yield LimitedFiles("a limit of the size of its files", folder)
        finally:
            holder.stdin.close()
            holder.wait(10)
