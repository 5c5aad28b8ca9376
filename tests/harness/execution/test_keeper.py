"""A keeper reaps, keeps a log small, and sleeps: real processes."""

from __future__ import annotations

import sys
import time

import psutil
import pytest

from harness.errors import JobFailed
from harness.execution import keeper
from tests.harness.execution.scenes import Scene

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="keepers are Linux' alone")
LOUD = """
    line = b"x" * 199 + bytes([10])
    os.write(1, b"the first line" + bytes([10]))
    sizes = []
    for _ in range(300):
        for _ in range(5):
            os.write(2, line * 1000)
        sizes.append(os.path.getsize("log"))
    print("the last line", flush=True)
    {end}
    send(id=request["id"], status="ok", result={{"largest": max(sizes)}})
    break
"""


def test_orphans_do_not_pile_up(scene: Scene) -> None:
    """Those that end while the worker is at work are taken off the kernel's list; the worker's own
    children are left to it."""
    worker = scene.start(
        "session",
        """
    for _ in range(20):
        if not os.fork():
            if not os.fork(): time.sleep(0.05)
            os._exit(3)
    codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(20)]
    assert codes == [3] * 20
""",
    )
    worker.request("work")
    parent = psutil.Process(worker.pid).parent()
    until = time.monotonic() + 5
    while len(parent.children()) > 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert [worker.pid] == [child.pid for child in parent.children()]
    worker.close()


def test_a_log_stays_small_while_it_is_written(scene: Scene) -> None:
    """300 MB are printed, and neither fill the disk nor hold the worker up; the beginning and the
    end are there."""
    worker = scene.start("session", LOUD.format(end=""))
    assert worker.request("work")["largest"] <= keeper.HEAD_BYTES
    worker.close()
    content = worker.log.read_bytes()
    assert len(content) < keeper.HEAD_BYTES + keeper.TAIL_BYTES + 100
    assert content.startswith(b"the first line\n") and content.endswith(b"x\nthe last line\n")
    dropped = 300_000_000 + 29 - keeper.HEAD_BYTES - keeper.TAIL_BYTES
    assert keeper.cut_note(dropped) in content


def test_the_last_line_of_much(scene: Scene) -> None:
    """It is in the log before anybody looks for it."""
    worker = scene.start("session", LOUD.format(end="os._exit(7)"))
    with pytest.raises(JobFailed, match="status 7 during 'work'; its log ends with: the last line"):
        worker.request("work")


def test_a_log_between_its_limits(scene: Scene) -> None:
    """Longer than the beginning, and nothing is cut."""
    worker = scene.start("session", "os.write(1, b'y' * 1_500_000)")
    worker.request("work")
    worker.kill()
    assert b"y" * 1_500_000 == worker.log.read_bytes()


def test_a_keeper_sleeps(scene: Scene) -> None:
    """It has not run at all while the worker waited."""
    worker = scene.start("session")
    worker.request("work")
    parent = psutil.Process(worker.pid).parent()
    before = parent.num_ctx_switches()
    time.sleep(0.5)
    assert before == parent.num_ctx_switches()
    worker.close()
