"""Whether the sides of a speed job ran under the same settings, by what their workers read back in
every round.

The table of what has to be equal is `harness.speed.settings`; here it meets records.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.plan import SpeedJob
from harness.records import store
from harness.results.verdicts import Speed
from harness.speed import settings, verdict


def differences(
    records: Sequence[store.Record], action: str, a: str, b: str
) -> tuple[settings.SettingDifference, ...]:
    """Return every setting in which two sides differed in any round, with the values of the first
    such round."""
    differing: dict[str, settings.SettingDifference] = {}
    for record in records:
        measured = record.round.actions.get(action)
        prepared = measured.prepared if measured else {}
        if a in prepared and b in prepared:
            for item in settings.differences(prepared[a].effective, prepared[b].effective):
                differing.setdefault(item.name, item)
    return tuple(differing.values())


def refusal(job: SpeedJob, records: Sequence[store.Record], action: str, a: str, b: str) -> str:
    """Return why the sides are not compared; empty where they are, or where the user insists.

    Args:
        job: says whether the user insists, and whether precisions of one build are compared.
        records: the job's rounds. action: what was timed. a, b: the two sides' labels.
    """
    if job.allow_settings:
        return ""
    return settings.refusal(differences(records, action, a, b), precisions=bool(job.precisions))


def judge(
    job: SpeedJob,
    records: Sequence[store.Record],
    sides: tuple[str, str, str],
    judged: verdict.SpeedVerdict,
) -> verdict.SpeedVerdict:
    """Return a verdict on speed as it stands, or REFUSED with the reason. `sides`: the action, a
    and b."""
    why = refusal(job, records, *sides)
    return verdict.SpeedVerdict(Speed.REFUSED, False, why) if why else judged
