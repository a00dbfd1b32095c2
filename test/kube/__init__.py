# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests against a real Kubernetes API server.  A package, since test/net has a `lab` too: here it
is kube.lab, there it is lab, and both are used together."""

import pathlib
import sys

import pytest

_NET = str(pathlib.Path(__file__).resolve().parent.parent / "net")
if _NET not in sys.path:
    sys.path.insert(0, _NET)

pytest.register_assert_rewrite("test_policy")
