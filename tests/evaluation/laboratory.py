"""The laboratory in which checkers are checked: real builds, real ports, judged exactly as `harness
compare` judges.

One worker of each build serves all tests: a port is opened in it again and again, as the contract
allows, because importing a framework costs more than recording the smallest preset.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import plan
from harness.environments import provision, staging
from harness.environments.builds import BUILDS
from harness.evaluation import pair_evidence, stage_rows
from harness.execution import runner
from harness.execution.processes import Limits, WorkerProcess
from harness.execution.worker_environment import clean_environment
from harness.fidelity.verdict import StageVerdict
from harness.plan import LOCKSTEP_STAGES, Job, Plan, Request, Side
from harness.records import tensors
from harness.results.model import StageRow
from harness.workloads import registry

HERE = Path(__file__).parent
#: Where workloads lie that only tests and measurements use.
FOLDERS = (HERE / "workloads", HERE / "zoo/workloads", HERE / "metamorphic/workloads")
BACKENDS = {name: build.backend for name, build in BUILDS.items()}
THREADS = 1
STEPS = 8


@dataclasses.dataclass
class Lent:
    """A worker for one job; the job's end does not end it."""

    worker: WorkerProcess

    def __enter__(self) -> Lent:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self.worker, name)

    def close(self) -> None:
        """Leave the worker to the next job."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stand(runner.RunContext):
    """A run_context whose workers outlive their jobs.

    Attributes:
        starter: the thread that starts them. The kernel ends a worker with the thread that started
            it, and a job's ends with the job.
    """

    starter: concurrent.futures.Executor
    pool: dict[str, WorkerProcess] = dataclasses.field(default_factory=dict)

    def worker(self, build: str, log: Path, cold: bool = False, side: str = "") -> Any:
        """Lend the build's worker; start one if there is none or it has died."""
        if build not in self.pool or self.pool[build].process.poll() is not None:
            self.pool[build] = self.starter.submit(
                WorkerProcess,
                self.interpreters[build],
                self.staging,
                self.environment,
                self.run / f"{build}.log",
                self.limits,
            ).result()
        return Lent(self.pool[build])


@dataclasses.dataclass(frozen=True)
class Laboratory:
    """Runs plans on a stand and judges what they leave."""

    stand: Stand

    def side(self, build: str, folder: Path | None = None) -> Side:
        """Return a build's shipped ports, or those in a folder; those of `FOLDERS` are always
        found."""
        own = () if folder is None else (str(folder),)
        label = build if folder is None else f"{build} {folder.name}"
        return Side(label, build, BACKENDS[build], (*own, *map(str, FOLDERS)))

    def request(self, workload: str, sides: Sequence[Side], **changed: Any) -> Request:
        """Return a request for the smallest preset, float64, seed 0, all stages."""
        settings = {
            "precisions": ("fp64",),
            "stages": LOCKSTEP_STAGES,
            "seeds": (0,),
            "steps": STEPS,
            "preset": "tiny",
            "fidelity_threads": THREADS,
            **changed,
        }
        return Request(
            (self.stand.workloads[workload],),
            tuple(sides),
            device="cpu",
            execution="default",
            threads=THREADS,
            speed=False,
            **settings,
        )

    def evidences(self, jobs: Sequence[Job]) -> dict[str, pair_evidence.JobEvidence]:
        """Run what has not run yet; every job must end ok."""
        records = runner.run_jobs(
            self.stand, tuple(jobs), lambda _job, _record: None, runner.run_job
        )
        for name, record in records.items():
            assert (record.status, record.reason) == ("ok", ""), name
        return {
            name: pair_evidence.JobEvidence(
                tensors.RecordEvidence(record.folder, record.recorded),
                "ok",
                "",
                record.recorded.abilities,
                f"jobs/{name}",
                declared=record.recorded.declared,
            )
            for name, record in records.items()
        }

    def plan(self, workload: str, sides: Sequence[Side], **changed: Any) -> Plan:
        """Return the plan of `request`."""
        return plan.make(self.request(workload, sides, **changed))

    def rows(self, workload: str, sides: Sequence[Side], **changed: Any) -> list[StageRow]:
        """Return the rows of a comparison."""
        planned = self.plan(workload, sides, **changed)
        return stage_rows.stage_rows(planned, self.evidences(planned.jobs))

    def verdicts(
        self, workload: str, sides: Sequence[Side], **changed: Any
    ) -> list[tuple[plan.Pair, StageVerdict]]:
        """Return the float64 verdicts of a comparison, with every tensor's own numbers."""
        planned = self.plan(workload, sides, **changed)
        found = self.evidences(planned.jobs)
        return [(pair, verdict) for pair in planned.pairs for verdict in self.judge(pair, found)]

    def judge(
        self, pair: plan.Pair, found: Mapping[str, pair_evidence.JobEvidence]
    ) -> list[StageVerdict]:
        """Return the verdicts of a pair, stage by stage."""
        return [stage_rows.judge(pair, stage, found) for stage in pair.stages]


@contextlib.contextmanager
def opened(folder: Path, builds: Sequence[str] = ("tf2", "torch", "numpy")) -> Iterator[Laboratory]:
    """Open a laboratory with one worker for each of the builds, found or provisioned; what runs
    leave is kept in `folder`."""
    found = {
        build: provision.locate(build, "cpu", overrides={}, environ=os.environ, progress=print).path
        for build in builds
    }
    with concurrent.futures.ThreadPoolExecutor(1) as starter:
        stand = Stand(
            run=folder,
            staging=staging.prepare(os.environ),
            interpreters=found,
            environment=clean_environment(os.environ, TF_CPP_MIN_LOG_LEVEL="1"),
            workloads=registry.known(FOLDERS),
            limits=Limits(request_s=300.0),
            starter=starter,
        )
        try:
            yield Laboratory(stand)
        finally:
            for worker in stand.pool.values():
                worker.close()
