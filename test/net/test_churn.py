# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes by the thousand: the kernel holds what a second agent would write, and nothing grows.

A million of them: make soak-changes.
"""

import random

from lab.churn import Churn

CHANGES = 20_000


def test_twenty_thousand_changes(lab):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    Churn(lab, seed).run(CHANGES, points=10)
