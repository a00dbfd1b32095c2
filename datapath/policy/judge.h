/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge.h - what the wanted table says of a tracked connection.  Pure.
 */
#pragma once

#include "datapath/base/flow.h"
#include "datapath/nft/table.h"

/* enum flow_verdict - FLOW_UNDECIDED: an end of it is a pod whose object is not known */
enum flow_verdict { FLOW_ALLOWED, FLOW_FORBIDDEN, FLOW_UNDECIDED, _FLOW_VERDICT_MAX };

enum flow_verdict flow_judge(const struct nft_table *t, const struct flow *f);
