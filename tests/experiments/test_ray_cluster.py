"""A cluster of two nodes, one of which is lost in the middle of a search."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Output
from ray_children import REFERENCE

from autoglyph.experiments.run import Run
from autoglyph.experiments.store import Store

pytestmark = pytest.mark.ray

NOTICE_LOSSES_SOON = {"health_check_period_ms": 500, "health_check_failure_threshold": 3}  # usual: 3000, 5


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 2, "include_dashboard": False, "_system_config": NOTICE_LOSSES_SOON}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    nodes.add_node(num_cpus=2, include_dashboard=False)
    yield nodes
    nodes.shutdown()


def test_a_lost_node_costs_at_most_one_rung_of_its_children(
    cluster: Any, tmp_path: Path, run_cli: Callable[..., Output]
) -> None:
    store, folder = tmp_path / "r.db", tmp_path / "logs"
    folder.mkdir()
    (second,) = (node for node in cluster.list_all_nodes() if node is not cluster.head_node)
    raylet = second.all_processes["raylet"][0].process.pid
    killer = threading.Thread(target=kill_when, args=(raylet, folder))
    killer.start()
    arguments = [REFERENCE, "--algorithm", "random", "--trials", "6", "--run", "r", "--store", store]
    program = ["--set", "program.num_rungs=4", "--set", f"program.folder={folder}", "--set", "program.seconds=1.5"]
    workers = ["--executor", "ray", "--ray-address", cluster.address, "--workers", "3", "--json"]
    search = [sys.executable, "-m", "autoglyph.experiments.cli", "search", *map(str, arguments), *program, *workers]
    done = subprocess.run(search, capture_output=True, text=True)
    killer.join()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["trials"] == 6 and found["failed"] == 0
    assert len(cluster.list_all_nodes()) == 2, "the cluster is left as it was"
    begun = {p.stem: [int(line.split()[0]) for line in p.read_text().splitlines()] for p in folder.glob("*.log")}
    assert len(begun) == 6
    assert all(sorted(set(rungs)) == [0, 1, 2, 3] and rungs == sorted(rungs) for rungs in begun.values())
    again = sum(len(rungs) - 4 for rungs in begun.values())
    assert 1 <= again <= 2, "the rungs that were cut short on the lost node"
    with Store(store) as opened:
        notes = [payload["what"] for _, kind, payload in opened.events(1) if kind == "worker"]
    assert len(notes) == again and all("Its worker was lost (" in note for note in notes), notes
    serial = run_cli("search", *arguments[:5], *program[:2], "--run", "s", "--store", store, "--json")
    assert serial.code == 0
    assert Run.open("s", store).digest() == Run.open("r", store).digest()


def kill_when(raylet: int, folder: Path) -> None:
    """Kills a node's raylet in the middle of a rung on it."""
    while True:
        for path in folder.glob("*.log"):
            *_, rung, worker = ["-1", "1", *path.read_text().split()]
            if rung == "1" and parent(int(worker)) == raylet:
                time.sleep(0.1)
                os.kill(raylet, signal.SIGKILL)
                return
        time.sleep(0.02)


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def test_an_address_where_no_cluster_is_is_one_sentence(toy: Path, run_cli: Callable[..., Output]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    for given in (address, "nowhere", "no.such.host.invalid:6379"):
        done = run_cli("search", "toy.py:TRAINED", "--executor", "ray", "--ray-address", given)
        assert done.code == 2
        assert done.err.startswith("autoglyph: ") and done.err.count("\n") == 1 and given in done.err
        assert "Ray" in done.err and not (toy.parent / "autoglyph.db").exists()
