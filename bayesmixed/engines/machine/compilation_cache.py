"""Where compiled programs are kept between processes: JAX's persistent compilation cache, switched on when asked."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from ...errors import FitError

VARIABLE = "BAYESMIXED_COMPILATION_CACHE"
LEAST_SECONDS = 0.0  # JAX's own threshold of one second leaves out what compiles quickly but not at once
LEAST_BYTES = 0


def compilation_cache(path: str | os.PathLike[str] | None = None) -> Path:
    r"""Keep compiled programs in a folder, so that a new process does not compile again what an earlier one did.

    A program depends on the model's structure and the shapes of its data, not on their values: new data of the same
    shape needs no compiling either. Call it before the first fit of a process, once; or set the environment variable
    ``BAYESMIXED_COMPILATION_CACHE`` to a folder, which does the same at the first fit that compiles. Nothing is cached
    unless one of the two is done.

    This is a setting of JAX, for all that the process compiles from then on, by whichever library:
    ``jax_compilation_cache_dir``, ``jax_persistent_cache_min_compile_time_secs`` and
    ``jax_persistent_cache_min_entry_size_bytes``. The folder is never emptied, and may be deleted at any time.

    Parameters
    ----------
    path
        The folder, which is made where it is missing. None is the folder that JAX uses already where one is set (by
        ``JAX_COMPILATION_CACHE_DIR``, say), else one for the user: ``~/.cache/bayesmixed/compiled`` on Linux,
        ``~/Library/Caches/bayesmixed/compiled`` on macOS, ``%LOCALAPPDATA%\bayesmixed\compiled`` on Windows.

    Returns
    -------
    Path
        The folder in use.

    Raises
    ------
    FitError
        The folder cannot be made or written to.

    Notes
    -----
    Who can write to the folder can make your process run code of theirs: do not share it with people you do not trust;
    a new folder is made for you alone. A program is kept per version of JAX and kind of processor. On some processors
    XLA rejects what it stored and says so in its log ("... is not supported on the host machine"); the program is then
    compiled as without a cache.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> bm.compilation_cache()  # doctest: +SKIP
    PosixPath('.../.cache/bayesmixed/compiled')
    """
    chosen = _folder_of_jax() if path is None else os.fspath(path)
    folder = _writable(Path(chosen).expanduser() if chosen else user_folder())
    _use(folder)
    return folder


def enable_from_environment() -> None:
    """Do what ``BAYESMIXED_COMPILATION_CACHE`` asks for, unless JAX has a cache already; called before compiling.

    What was chosen in code or by JAX's own variable stays.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted and not _folder_of_jax():
        compilation_cache(wanted)


def folder_in_use() -> str | None:
    """Where compiled programs are kept, or would be from the first fit that compiles; None where nowhere.

    JAX is not loaded for it.
    """
    own = _folder_of_jax() if "jax" in sys.modules else os.environ.get("JAX_COMPILATION_CACHE_DIR")
    return own or os.environ.get(VARIABLE) or None


def user_folder() -> Path:
    """The user's folder for compiled programs, by the customs of the system."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "bayesmixed" / "compiled"


def _folder_of_jax() -> str | None:
    import jax

    return jax.config.values["jax_compilation_cache_dir"]


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FitError(
            f"Compiled programs cannot be kept in {str(folder)!r}: {error.strerror or error}. Give a folder that you "
            f"can write to, bm.compilation_cache(path), or unset {VARIABLE}.",
            topic="path",
        ) from error
    return folder.resolve()


def _use(folder: Path) -> None:
    import jax
    from jax.experimental.compilation_cache import compilation_cache as jax_cache

    changed = _folder_of_jax() != str(folder)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", LEAST_SECONDS)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", LEAST_BYTES)
    if changed:
        # JAX decides at its first compilation whether and where it keeps programs, and must be told to decide again.
        jax_cache.reset_cache()
