# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes by the thousand: the kernel holds what a second agent would write, and nothing grows.

A million of them, by another seed each time: make soak-changes.
"""

import os

from lab.churn import Churn

CHANGES = 20_000
SEED = int(os.environ.get("MANX_SEED", 1))


def test_twenty_thousand_changes(lab):
    Churn(lab, SEED).run(CHANGES, points=10)
