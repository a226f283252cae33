"""From what the user asks for to the engine that a run works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from curate.engines.engine import Engine
from curate.engines.local import Local
from curate.errors import EngineError

ENGINES = ("local", "ray")


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster, and what a task gets on it.

    `address`: of its head node; None is what RAY_ADDRESS says, else a Ray of our own on this machine.
    `memory_per_task`: declared for each of a task's cores, such as "4GB"; None is `curate.engines.ray.MEMORY_PER_TASK`.
    """

    address: str | None = None
    cpus_per_task: int = 1
    memory_per_task: int | str | None = None

    @staticmethod
    def asked_for(
        engine: str, address: str | None, cpus_per_task: int | None, memory_per_task: int | str | None
    ) -> Cluster | None:
        """Return the cluster that options ask for, None for none. EngineError where they do not fit together."""
        if engine not in ENGINES:
            raise EngineError(f'there is no engine "{engine}"; it is one of {", ".join(ENGINES)}')
        if engine == "ray":
            return Cluster(address, cpus_per_task or 1, memory_per_task)
        if address or cpus_per_task or memory_per_task:
            raise EngineError('an address, CPUs and memory of tasks are for the engine "ray": add --engine ray')
        return None


@contextmanager
def opened(threads: int | None, memory: int | str | None, cluster: Cluster | None) -> Iterator[Engine]:
    """Give the engine: Ray where there is a cluster, else threads of this process."""
    if cluster is None:
        yield Local(threads, memory)
        return
    from curate.engines.ray import Ray

    with Ray(
        cluster.address,
        threads=threads,
        cpus_per_task=cluster.cpus_per_task,
        memory=memory,
        memory_per_task=cluster.memory_per_task,
    ) as engine:
        yield engine
