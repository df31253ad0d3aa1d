"""How the processes share processors with others."""

import os
import sys

import psutil
import pytest

from devstack.stack import Stack


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked for it")
@pytest.mark.parametrize("name", ["wallet", "transaction", "publisher", "sink"])
def test_no_thread_preempts_others(stack: Stack, name: str) -> None:
    """Each thread of a service lets whoever runs finish its turn."""
    threads = [each.id for each in psutil.Process(stack.pid(name)).threads()]
    assert {os.sched_getscheduler(each) for each in threads} == {os.SCHED_BATCH}
