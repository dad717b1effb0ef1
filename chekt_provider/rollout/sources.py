"""What a Pulumi program is made of, as far as files tell: a digest of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Set
from pathlib import Path

_OTHERS = ("node_modules", "site-packages")
_UNREADABLE = bytes(32)


def program_digest(folder: Path, main: str, python_path: str, left_out: Set[Path]) -> bytes:
    """The digest of a program and of the Python modules beside it; another file, name or content makes another.

    It covers:

    - all files of the project's folder, and of the program's where that is elsewhere;
    - the *.py files of each entry of PYTHONPATH, in their order, a relative one beginning at the program's folder;
    - the *.py files of the repositories that the two folders are in.

    Nothing hidden counts, no cache and no virtual environment; of the modules, none in node_modules or site-packages
    below. Links to folders are followed, each folder once; in a repository they are not, so that it ends at its border.

    Args:
        folder: the project's.
        main: what Pulumi.yaml says under `main`; "" where it says nothing.
        python_path: the environment's PYTHONPATH.
        left_out: files that do not count, with their links resolved.
    """
    program = folder / main
    program = program if program.is_dir() else program.parent
    parts = [("folder", folder_digest(folder, left_out))]
    if not program.resolve().is_relative_to(folder.resolve()):
        parts.append(("main", folder_digest(program, left_out)))
    for entry in python_path.split(os.pathsep) if python_path else ():
        parts.append(("PYTHONPATH", _modules_digest(program / entry, follow=True)))
    repositories = {_repository(folder): None, _repository(program): None}  # each once, in this order
    parts += [("repository", _modules_digest(place, follow=False)) for place in repositories if place]
    return _digest(parts)


def folder_digest(folder: Path, left_out: Set[Path] = frozenset()) -> bytes:
    """The digest of all files of a folder that belong to a program: nothing hidden, no virtual environment."""
    found = (path for path in _walk(folder) if path.resolve() not in left_out)
    return _digest((str(path.relative_to(folder)), file_digest(path)) for path in found)


def file_digest(path: Path) -> bytes:
    """The digest of a file's content; of a folder, that of where it is from its parent: a link may lead elsewhere."""
    try:
        content = path.read_bytes() if path.is_file() else os.fsencode(_way(path))
    except OSError:  # a program cannot read it either
        return _UNREADABLE
    return hashlib.sha256(content).digest()


def _way(path: Path) -> str:
    return os.path.relpath(path.resolve(), path.parent.resolve())


def _modules_digest(place: Path, *, follow: bool) -> bytes:
    """The digest of a folder's *.py files; PYTHONPATH may also name a file, an archive of modules."""
    if os.path.isfile(place):
        return file_digest(place)
    found = _walk(place, suffix=".py", others=_OTHERS, follow=follow)
    return _digest((str(path.relative_to(place)), file_digest(path)) for path in found)


def _digest(entries: Iterable[tuple[str, bytes]]) -> bytes:
    digest = hashlib.sha256()
    for name, content in entries:
        digest.update(os.fsencode(name) + b"\0" + content)
    return digest.digest()


def _walk(folder: Path, *, suffix: str = "", others: tuple[str, ...] = (), follow: bool = True) -> Iterator[Path]:
    """The files below a folder, in one order, and those folders that are not entered again, or for being links.

    What cannot be looked into is passed over. The functions of os.path, unlike Path's, say False of it.
    """
    seen = {folder.resolve()}
    for place, folders, files in os.walk(folder, followlinks=True):
        here = Path(place)
        enter = []
        for name in sorted(folders):
            path = here / name
            if name.startswith(".") or name in ("__pycache__", *others) or os.path.exists(path / "pyvenv.cfg"):
                continue
            real = path.resolve()
            if real in seen or (path.is_symlink() and not follow):
                yield path
            else:
                seen.add(real)
                enter.append(name)
        folders[:] = enter
        for name in sorted(files):
            if name.endswith(suffix) and not name.startswith(".") and os.path.isfile(here / name):
                yield here / name


def _repository(folder: Path) -> Path | None:
    """The nearest folder from this one upwards that holds .git."""
    here = folder.resolve()
    return next((place for place in (here, *here.parents) if os.path.exists(place / ".git")), None)
