"""Every mutation of some workloads' torch ports, put on trial."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from tests.evaluation.laboratory import Laboratory
from tests.evaluation.mutation import alive, unreached
from tests.evaluation.mutation.explained import Explanations, Missed
from tests.evaluation.mutation.ledger import Ledger, digest
from tests.evaluation.mutation.operators import Mutation, mutations
from tests.evaluation.mutation.reach import probed, reached
from tests.evaluation.mutation.source import Source
from tests.evaluation.mutation.stored import Circumstances, Honest, honest
from tests.evaluation.mutation.trial import Court, Outcome
from tests.evaluation.zoo.mutant import SHIPPED, source

#: Port -> what it is judged in, the one that tells most first. float64 separates meaning from
#: rounding; the conditional variant and a lower precision run code that nothing else runs. Where
#: probabilities are 1 it is judged against its own build: TensorFlow's graphs turn (1 - p) + 1e-7
#: into (1 + 1e-7) - p, which moves the logarithm by more than honest variations do.
CIRCUMSTANCES = {
    "linear": (Circumstances("linear", ("fp64", "bf16")),),
    "cnn": (Circumstances("cnn", ("fp64", "bf16")),),
    "ehr_mgan": (
        Circumstances("ehr_mgan", ("fp64", "bf16")),
        Circumstances("ehr_mgan_conditional"),
        Circumstances("saturated", original="torch"),
    ),
}
KILLED, ERROR, SURVIVED, EQUIVALENT, UNREACHED = (
    "killed",
    "error",
    "survived",
    "equivalent",
    "not reached",
)


@dataclasses.dataclass(frozen=True)
class Finding:
    """One mutation and what became of it.

    Attributes:
        kind: `killed` by a verdict, killed by an `error` of the worker, `survived`, `equivalent` or
            `not reached`; the last two by their explanation, without one a mutant that is not
            killed has survived.
        outcome: of its trial; None where there was none.
        reason: the explanation; empty if there is none.
    """

    mutation: Mutation
    kind: str
    outcome: Outcome | None
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Subject:
    """One port, its modules, and where its honest self gets to.

    Attributes:
        modules: by file relative to the torch backend. circumstances: those that it is judged in.
        reached: for each circumstance, the mutations whose place is evaluated there.
    """

    port: str
    modules: dict[str, Source]
    mutations: tuple[Mutation, ...]
    circumstances: tuple[Honest, ...]
    reached: tuple[frozenset[Mutation], ...]

    def where(self, mutation: Mutation) -> list[Honest]:
        """Return the circumstances that get to a mutation."""
        return [
            honest
            for honest, inside in zip(self.circumstances, self.reached, strict=True)
            if mutation in inside
        ]


class Census:
    """Puts the mutants of ports on trial.

    Args:
        laboratory: with the builds tf2 and torch. cache: for the honest sides' records and the
            outcomes of trials. folder: for the rest.
    """

    def __init__(self, laboratory: Laboratory, cache: Path, folder: Path) -> None:
        self.laboratory, self.cache, self.folder = laboratory, cache, folder
        self.ledger = Ledger(cache)

    def subject(self, port: str) -> Subject:
        """Record the honest sides, and find out what the port's own code gets to.

        Raises:
            RuntimeError: the unchanged port does not pass; no mutant's verdict would mean anything.
        """
        modules = {
            file: Source(file, (SHIPPED / file).read_text(encoding="utf-8")) for file in files(port)
        }
        found = {file: mutations(module) for file, module in modules.items()}
        circumstances = [
            item
            for asked in CIRCUMSTANCES[port]
            for item in honest(self.laboratory, asked, self.cache)
        ]
        survey = [self._survey(port, modules, found, item) for item in circumstances]
        return Subject(
            port,
            modules,
            tuple(item for part in found.values() for item in part),
            tuple(circumstances),
            tuple(survey),
        )

    def _survey(
        self,
        port: str,
        modules: dict[str, Source],
        found: dict[str, list[Mutation]],
        circumstance: Honest,
    ) -> frozenset[Mutation]:
        folder = self.folder / f"survey {circumstance}"
        folder.mkdir(parents=True)
        noted = {file: folder / file.replace("/", " ") for file in modules}
        texts = {
            SHIPPED / file: probed(module, found[file], noted[file])
            for file, module in modules.items()
        }
        outcome = Court(self.laboratory, port, folder).judge(texts, [circumstance])
        if (outcome.kind, outcome.reason) != (SURVIVED, ""):
            raise RuntimeError(f"the unchanged port of {circumstance} does not pass: {outcome}")
        return frozenset().union(*(reached(found[file], noted[file]) for file in modules))

    def findings(self, subject: Subject, chosen: Collection[Mutation]) -> Iterator[Finding]:
        """Yield what becomes of each of the chosen mutations."""
        explanations = explained(subject)
        missed = [mutation for mutation in subject.mutations if not subject.where(mutation)]
        spoken_for, excuses = explanations.alive(), explanations.excuses(missed)
        court = Court(self.laboratory, subject.port, self.folder / f"mutants {subject.port}")
        for mutation in chosen:
            where = subject.where(mutation)
            if not where:
                yield Finding(
                    mutation,
                    UNREACHED if mutation in excuses else SURVIVED,
                    None,
                    excuses.get(mutation, ""),
                )
                continue
            outcome = self._tried(court, subject, mutation, where)
            said = spoken_for.get(mutation) if outcome.kind == SURVIVED else None
            equal = said is not None and not isinstance(said, Missed)
            yield Finding(
                mutation,
                EQUIVALENT if equal else outcome.kind,
                outcome,
                said.reason if said else "",
            )

    def _tried(
        self, court: Court, subject: Subject, mutation: Mutation, where: list[Honest]
    ) -> Outcome:
        text = mutation.applied(subject.modules[mutation.file].text)
        trial = functools.partial(court.judge, {SHIPPED / mutation.file: text}, where)
        return self.ledger.outcome(
            digest(mutation.file, text, *(item.key for item in where)), trial
        )


def files(port: str) -> list[str]:
    """Return the modules of a port, relative to the torch backend."""
    path = source(port)
    return (
        [path.name]
        if path.is_file()
        else [f"{port}/{module.name}" for module in sorted(path.glob("*.py"))]
    )


def explained(subject: Subject) -> Explanations:
    """Return what is said of a port's mutants that are not killed."""
    texts = {file: module.text for file, module in subject.modules.items()}
    return Explanations(texts, subject.mutations, alive.ALIVE, unreached.UNREACHED)


def stale(subject: Subject, findings: Sequence[Finding]) -> list[str]:
    """Return the explanations that no longer hold, each with why."""
    missed = [mutation for mutation in subject.mutations if not subject.where(mutation)]
    return explained(subject).stale(
        missed, {finding.mutation for finding in findings if finding.kind in (KILLED, ERROR)}
    )
