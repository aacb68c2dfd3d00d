"""What a file asks of WireGuard, before it is planned: its key files are read, and the kernel must have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import ConfigError, Problem, UnavailableError
from reconciler.kernel.modules import available
from reconciler.resources.base import Resource
from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from reconciler.core.desired import Desired, Origin
    from reconciler.kernel.live import Kernel
    from reconciler.kernel.secrets import Secrets

WITH_KEYS = frozenset(name for name, kind in KINDS.items() if type(kind).key_files is not Resource.key_files)


def keyed(desired: Desired, kernel: Kernel) -> Desired:
    """Return what is desired with all that may be shown of the keys in its files.

    Raises ConfigError for a file that holds no key, UnavailableError for one that cannot be read.
    """
    concerned = {key: value for key, value in desired.values.items() if key[0] in WITH_KEYS}
    if not concerned:
        return desired
    kernel_must_have_it(desired)
    paths = {key: tuple(KINDS[key[0]].key_files(value)) for key, value in concerned.items()}
    secrets, known, warnings = kernel.secrets, {}, []
    wrong: list[Problem] = []
    missing: list[Problem] = []
    for key, files in paths.items():
        for path in files:
            origin = desired.origins[key]
            if path not in known:
                try:
                    known[path] = secrets.read(path)
                except OSError as error:
                    missing.append(_problem(origin, f"the key file {path} cannot be read: {error.strerror}"))
                except ValueError as error:
                    wrong.append(_problem(origin, f"the key file {path} is wrong: {error}"))
                else:
                    warnings += _open(origin, path, secrets)
    if wrong:
        raise ConfigError([*wrong, *missing])
    if missing:
        raise UnavailableError("\n".join(map(str, missing)))
    values = {key: KINDS[key[0]].keyed(value, known) for key, value in concerned.items()}
    return desired._replace(values={**desired.values, **values}, warnings=(*desired.warnings, *warnings))


def kernel_must_have_it(desired: Desired) -> None:
    """Raise UnavailableError where a link of the type is to be made, and lists say that the kernel lacks it."""
    for key, value in desired.values.items():
        if key[0] == "link" and value[1] == "wireguard" and available("wireguard") is False:
            message = "this kernel has no module wireguard: a WireGuard interface cannot be made"
            raise UnavailableError(str(_problem(desired.origins[key], message)))


def _open(origin: Origin, path: str, secrets: Secrets) -> list[Problem]:
    if path not in secrets.open:
        return []
    message = f"everybody on this host can read the key file {path} (mode {secrets.open[path]})"
    return [_problem(origin, message, f"chmod 600 {path}")]


def _problem(origin: Origin, message: str, hint: str = "") -> Problem:
    return Problem(origin.position, origin.path, message, hint)
