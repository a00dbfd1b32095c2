/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni.h - the Container Network Interface on paper: requests in, results and errors out.  Pure.
 *
 * Source: CNI specification 1.1.0 (SPEC.md): parameters, configuration, result and error formats
 * and error codes; CONVENTIONS.md for capabilities and CNI_ARGS.
 */
#pragma once

#include "ipam/attachment.h"
#include "lib/err.h"
#include "watch/document/value.h"

#define CNI_STDIN_MAX (1u << 20) /* bytes of network configuration */

enum cni_verb { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_GC, CNI_STATUS, CNI_VERSION, _CNI_VERB_MAX };

enum cni_code {
	CNI_E_VERSION = 1,	  /* incompatible CNI version */
	CNI_E_FIELD = 2,	  /* unsupported field in the network configuration */
	CNI_E_UNKNOWN = 3,	  /* container unknown or does not exist */
	CNI_E_ENVIRONMENT = 4,	  /* invalid necessary environment variables */
	CNI_E_IO = 5,		  /* I/O failure */
	CNI_E_DECODE = 6,	  /* failed to decode content */
	CNI_E_CONFIG = 7,	  /* invalid network configuration */
	CNI_E_TRY_AGAIN = 11,	  /* try again later */
	CNI_E_NOT_AVAILABLE = 50, /* STATUS: ADD cannot be served */
	CNI_E_LIMITED = 51,	  /* STATUS: ADD can be served, some connectivity is limited */
	CNI_E_FULL = 100,	  /* ours: no address left in the ranges */
	CNI_E_KERNEL = 101,	  /* ours: the kernel refused an operation */
	CNI_E_MISMATCH = 102,	  /* ours: CHECK found something else than ADD had made */
};

/* struct cni_env - the environment variables of the specification; NULL when not set */
struct cni_env {
	const char *command, *container_id, *netns, *ifname, *args, *path;
};

struct cni_key {
	char *id, *ifname;
};

/*
 * struct cni_request - a request whose form was checked; no string in it is NULL
 * @version:   cniVersion of the configuration, one of cni_versions; for VERSION anything
 * @network:   name of the configuration
 * @socket:    "socket" of the configuration
 * @ns, @pod, @uid: from CNI_ARGS, "" when absent
 * @want:      capability ips (args.cni.ips and CNI_ARGS IP too): addresses asked for
 * @mac:       capability mac
 * @ports:     capability portMappings
 * @prev:      ADD, CHECK: prevResult, borrowed from the document; NULL when absent
 * @valid:     GC: cni.dev/valid-attachments
 */
struct cni_request {
	enum cni_verb verb;
	char *version, *network, *socket;
	char *id, *ifname, *netns;
	char *ns, *pod, *uid;
	uint32_t n_want;
	struct addr want[2];
	bool has_mac;
	struct mac mac;
	uint32_t n_ports;
	struct host_port *ports;
	const struct value *prev;
	struct value_doc *doc;
	uint32_t n_valid;
	struct cni_key *valid;
};

const char *cni_verb_str(enum cni_verb v);

extern const char *const cni_versions[]; /* "0.3.0" ... "1.1.0", NULL-terminated */

/* On failure the negative of an enum cni_code, which reterr->code holds, too: print -r. */
int cni_request_parse(const struct cni_env *env, const char *conf, size_t len,
		      struct cni_request **ret, struct err *reterr);
struct attachment *cni_attachment_new(const struct cni_request *q);
struct cni_request *cni_request_free(struct cni_request *q);
static inline void cni_request_freep(struct cni_request **q)
{
	(void)cni_request_free(*q);
}

/* struct cni_result - what ADD made; printed in the form of the caller's version */
struct cni_result {
	const struct attachment *at;
	const bool *beside; /* of each address: the default route is another interface's; or NULL */
	struct mac host_mac;
	uint32_t mtu;
	const struct value *prev; /* chained after another plugin: its result is kept; or NULL */
};

void cni_result_print(const char *version, const struct cni_result *r, struct buf *out);
void cni_error_print(const char *version, int code, const char *msg, const char *details,
		     struct buf *out);
void cni_versions_print(const char *version, struct buf *out);
/* CHECK: does prevResult name our interface, its MAC and exactly these addresses? */
int cni_check_prev(const struct cni_request *q, const struct attachment *at, struct err *reterr);
