"""Ray itself: an instance of one's own on this machine, or a cluster that is there."""

from __future__ import annotations

import logging
import math
import os
import socket
from dataclasses import dataclass
from typing import Any

_CONNECT_SECONDS = 5.0
_QUIET = {
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # else remarks on lost workers go to standard output, amid results
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@dataclass(frozen=True)
class RayInstance:
    """A connection to Ray.

    Attributes:
        is_own: whether it was started here and is to be stopped here.
        was_connected: whether the program was connected before.
    """

    is_own: bool
    was_connected: bool = False

    def stop(self) -> None:
        """Stops an instance of one's own, and leaves a cluster; a connection that was there before stays."""
        import ray

        if not self.was_connected:
            ray.shutdown()


def start_or_connect(address: str | None, *, cpus: float | None = None, gpus: float | None = None) -> RayInstance:
    """Connects to Ray, which takes some seconds; one that this program is connected to already is used as it is.

    An instance of one's own listens on this machine alone and asks for no token. A cluster's own settings stay
    as they are.

    Args:
        address: "auto" or HOST:PORT of a cluster; None to start an instance here, whatever else runs.
        cpus: cores that an instance of one's own offers, at least as many as there are; None for those there are.
        gpus: accelerators that it offers at least; None for those there are.

    Raises:
        ValueError: if there is no cluster at that address.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if address is None:
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    import ray

    if ray.is_initialized():
        return RayInstance(is_own=False, was_connected=True)
    settings: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    if address is None:
        cores = max(os.cpu_count() or 1, math.ceil(cpus or 0))
        offered = {} if not gpus else {"num_gpus": math.ceil(gpus)}
        ray.init("local", num_cpus=cores, include_dashboard=False, **offered, **settings)
        return RayInstance(is_own=True)
    _check_address(address)
    try:
        ray.init(address=address, **settings)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ValueError(f"There is no Ray cluster at {address!r} ({reason}): {_FIX}") from error
    return RayInstance(is_own=False)


_FIX = (
    "start one with `ray start --head`, set RAY_AUTH_MODE=token where it asks for one, "
    "or leave --ray-address out to start one here."
)


def _check_address(address: str) -> None:
    """Ray tries for a minute to reach a host where nobody listens; this tells at once."""
    host, colon, port = address.rpartition(":")
    if address == "auto":
        return
    if not colon or not port.isdigit() or "/" in host:
        raise ValueError(f"Cannot read the Ray address {address!r}: write auto or HOST:PORT.")
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ValueError(f"There is no Ray cluster at {address!r} ({error}): {_FIX}") from error
