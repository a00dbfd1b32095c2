/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni_effects.h - what CNI calls ask and do, as the agent has it.
 */
#pragma once

#include "agent/cni/cni_ops.h"

extern const struct cni_ops cni_effects; /* its first argument is struct agent */
