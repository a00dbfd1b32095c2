/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold.h - the pods of the journal are protected at once, before the source is known.
 *
 * The API server may be away for hours when an agent starts.  What the kernel holds of an earlier
 * one stays as it is; what is missing of the fixed program, of a pod's anti-spoofing or of its
 * verdict is put back, isolated (datapath/policy/kept.h).  The same when somebody changes or
 * flushes the table meanwhile.  Nothing is removed before everything is known.
 */
#pragma once

struct agent;

void hold_run(struct agent *a);
void hold_end(struct agent *a);
