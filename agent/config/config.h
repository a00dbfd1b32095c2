/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.h - the agent's configuration: flags over one YAML file over defaults.  Pure.
 *
 * One table (config.c) holds every key; the flag --state-dir and the file's line `state-dir:` are
 * the same key.  Takes the text of the file and the flags as strings, gives a struct config that
 * was checked field by field.  Reading the file is the caller's business (options.c).
 */
#pragma once

#include "ipam/ipam.h"
#include "lib/addr.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/log.h"

#define CONFIG_FILE_MAX	    (1u << 20)	    /* bytes of the configuration file */
#define CONFIG_PREFIXES_MAX IPAM_RANGES_MAX /* entries of ranges and of masquerade-exclude */

struct part_config;

/* enum config_key - in the order of --help and manx.conf(5) */
enum config_key {
	CONFIG_NODE,
	CONFIG_MANIFESTS,
	CONFIG_KUBECONFIG,
	CONFIG_IN_CLUSTER,
	CONFIG_ALL_PODS,
	CONFIG_EVENTS,
	CONFIG_CONFIG, /* flag only */
	CONFIG_STATE_DIR,
	CONFIG_RUN_DIR,
	CONFIG_CNI_CONF_DIR,
	CONFIG_CNI_BIN_DIR,
	CONFIG_CONFLIST_NAME,
	CONFIG_HTTP_ADDRESS,
	CONFIG_LOG_LEVEL,
	CONFIG_RANGES,
	CONFIG_MASQUERADE,
	CONFIG_MASQUERADE_EXCLUDE,
	CONFIG_POD_WAIT,
	CONFIG_STALE_LIMIT,
	CONFIG_ADDRESS_COOLDOWN,
	CONFIG_STATUS_GRACE,
	CONFIG_MTU,
	CONFIG_CONNECTIONS,
	CONFIG_FORWARD_ACCEPT,
	_CONFIG_KEY_MAX
};

/* enum connections - what becomes of connections that policies forbid after they began */
enum connections { CONNECTIONS_RECHECK, CONNECTIONS_KEEP, _CONNECTIONS_MAX };

/* struct prefix_list - in the order given, none twice */
struct prefix_list {
	uint32_t n;
	struct prefix v[CONFIG_PREFIXES_MAX];
};

/* struct config - strings are heap memory owned by it; NULL only where said */
struct config {
	char *node;	     /* Kubernetes node name; NULL when not given */
	char *manifests;     /* folder; NULL unless it is the source */
	char *kubeconfig;    /* NULL unless it is the source */
	bool in_cluster;     /* the source is the API server of the cluster we run in */
	bool all_pods;	     /* watch the pods of all namespaces, whoever needs them */
	bool events;	     /* write events about objects that are set aside */
	char *config;	     /* file that was read; NULL for none */
	char *state_dir;     /* "/var/lib/manx" */
	char *run_dir;	     /* "/run/manx" */
	char *cni_conf_dir;  /* "/etc/cni/net.d" */
	char *cni_bin_dir;   /* "/opt/cni/bin"; "": somebody else installs the plugin */
	char *conflist_name; /* "10-manx.conflist" */
	char *http_address;  /* "127.0.0.1:9109"; "" is off (agent/report/pages_address.h) */
	enum log_level log_level;
	struct prefix_list ranges; /* pod ranges beside the node's spec.podCIDRs */
	struct {
		bool enabled;
		struct prefix_list exclude; /* destinations that see the pod's own address */
	} masquerade;
	uint64_t stale_limit_usec;	/* then new pods wait for a source that gives nothing */
	uint64_t pod_wait_usec;		/* how long CNI ADD waits for the pod's object */
	uint64_t address_cooldown_usec; /* before a freed address is given out again */
	uint64_t status_grace_usec;	/* how long STATUS answers for an agent that went away */
	bool forward_accept;		/* put rules for pods into forward chains of others */
	uint32_t mtu;			/* of pod interfaces; 0: as the node's interface */
	enum connections connections;
};

/* struct config_flag - one flag of the command line; the last of a key wins */
struct config_flag {
	enum config_key key;
	const char *value;
};

/*
 * struct config_key_info - what --help says about a key
 * @arg: Name of the value; NULL for a switch, whose value is "true"
 * @def: Default as the text of a flag; NULL for none
 */
struct config_key_info {
	const char *name, *arg, *help, *def;
	bool runtime; /* a reload applies it */
	bool path;    /* a path: on the command line it may be relative */
};

/* struct config_diff - bit 1 << key: what a reload changes, and what it cannot change */
struct config_diff {
	uint32_t applied, refused;
};

const struct config_key_info *config_key_info(enum config_key key);
int config_parse(const char *file, const char *text, size_t len, const struct config_flag *flags,
		 size_t n_flags, struct config **ret, struct err *reterr);
void config_of_parts(const struct config *c, struct part_config *ret);
void config_default_node(struct config *c, const char *hostname);
int config_check_agent(const struct config *c, struct err *reterr);
struct config *config_free(struct config *c);
static inline void config_freep(struct config **c)
{
	(void)config_free(*c);
}

struct config_diff config_reload_diff(const struct config *old, const struct config *fresh);
void config_adopt(struct config *running, const struct config *fresh,
		  const struct config_diff *diff);
void config_keys_print(uint32_t keys, struct buf *out);
int duration_parse(const char *s, uint64_t *ret_usec);
