# SPDX-License-Identifier: GPL-2.0-or-later
"""Plugin of pytest in the emulated machine: after MANX_SECONDS no test begins; what is left over is
skipped and counted so.  A machine that has little time on a busy host takes no more of it."""

import os
import time

import pytest

LIMIT = float(os.environ.get("MANX_SECONDS", "inf"))
START = time.monotonic()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    if time.monotonic() - START > LIMIT:
        pytest.skip(f"no time left after {LIMIT:.0f} s")
