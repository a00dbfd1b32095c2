/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - what plugin and command line say to the agent over <run-dir>/cni.sock.
 *
 * A unix stream socket, mode 0600, root only (the agent checks SO_PEERCRED).  A message is a
 * 32-bit little-endian length and that many bytes of JSON, at most WIRE_MAX.  One call a
 * connection; the agent may ask the caller to do slow work in between:
 *
 *   caller  {"call":"cni","env":{"CNI_COMMAND":"ADD",...},"stdin":"..."}
 *           {"call":"status"|"ipam","args":["--json",...]}
 *   agent   {"do":"attach", ...}    make and configure the links        } the caller answers
 *           {"do":"detach", ...}    delete links                        } {"done":true,...} or
 *           {"do":"check", ...}     compare the pod's end with it       } {"error":"...","code":N}
 *   agent   {"part":"the beginning of a long text"}                     any number of these, then
 *           {"result":"text for standard output","exit":0}              the end of every call
 *
 * attach and check: {"netns":PATH,"ifname":"eth0","host_ifname":"mx0123456789ab",
 *   "mac":"...","host_mac":"...","mtu":1500,"addresses":["10.1.0.5","fd00::5"]}
 *   answer: {"done":true,"beside":["10.1.0.5"]}: addresses for whose family another interface of
 * the pod has the default route detach: {"links":["mx0123456789ab",...]}
 *
 * Why the caller works: deleting a veth takes 23 ms and making one 1 ms; in the plugin's process
 * that costs the loop nothing, and the agent needs no right to enter namespaces.
 */
#pragma once

#include <sys/types.h>

#include "agent/cni/cni.h"
#include "datapath/route/podlink.h"
#include "ipam/attachment.h"
#include "lib/buf.h"

#define WIRE_MAX      (12u << 20)  /* a CNI configuration of 10 MiB must reach its error message */
#define WIRE_PART_MAX (256u << 10) /* bytes of a text in one message */

ssize_t wire_frame(const char *data, size_t len);
int wire_read(const char *data, size_t len, struct value_doc **ret, struct err *reterr);
void wire_put(const char *json, struct buf *out);
void wire_read_cni(const struct value *m, struct cni_env *ret_env, const char **ret_conf);
int wire_read_link(const struct value *m, struct podlink *ret, struct err *reterr);
void wire_link(const char *what, const struct attachment *at, const char *netns, uint32_t mtu,
	       struct buf *out);
void wire_detach(const struct attachment *const *at, size_t n, struct buf *out);
