# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts of an agent, timed."""

import time

PATIENCE = 120  # seconds


def until_ready(node, step):
    """Start the agent; seconds until it is ready, asked every @step seconds."""
    began = time.monotonic()
    node.start_agent(wait=False)
    while node.get("/readyz")[0] != 200:
        time.sleep(step)
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError(f"not ready after {PATIENCE} s: {node.log_text()[-2000:]}")
    return time.monotonic() - began
