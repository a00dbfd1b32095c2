# SPDX-License-Identifier: GPL-2.0-or-later
"""The NetworkPolicy tests of test/net, unchanged, with a real API server as the source."""

from test_policy import *  # noqa: F403  (test/net/test_policy.py)
