"""From what the user asks for to the engine that a run works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from curate.engines.local import Local
from curate.errors import EngineError

if TYPE_CHECKING:
    from curate.engines.engine import Engine

ENGINES = ("local", "ray")


@contextmanager
def opened(
    threads: int | None,
    memory: int | str | None = None,
    engine: str = "local",
    address: str | None = None,
    cpus_per_task: int | None = None,
    memory_per_task: int | str | None = None,
) -> Iterator[Engine]:
    """Give an engine of ENGINES, and end it.

    `threads`: cores of this machine that are used, `memory`: what deciding may take. On Ray, `address`: of the head
    node of a cluster; None is what RAY_ADDRESS says, else a Ray of our own here. A task has `cpus_per_task` cores, and
    `memory_per_task`, such as "4GB", is declared for each of them; None is `curate.engines.ray.MEMORY_PER_TASK`.
    EngineError for an unknown engine, and for options of Ray without it.
    """
    if engine not in ENGINES:
        raise EngineError(f'there is no engine "{engine}"; it is one of {", ".join(ENGINES)}')
    if engine == "local":
        if address or cpus_per_task or memory_per_task:
            raise EngineError('an address, CPUs and memory of tasks are for the engine "ray": add --engine ray')
        yield Local(threads, memory)
        return
    from curate.engines.ray import Ray

    with Ray(
        address, threads=threads, cpus_per_task=cpus_per_task or 1, memory=memory, memory_per_task=memory_per_task
    ) as ray:
        yield ray
