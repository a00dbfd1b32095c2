# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests on a whole cluster: control plane, kubelets, containerd, kube-proxy, and the agent from
deploy/.  A package, as test/kube is; here the laboratory is cluster.lab."""

import kube

__all__ = ["kube"]
