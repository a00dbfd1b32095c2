// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_table.c - every key of the configuration: name, help, default, type, place, limit.  Pure.
 *
 * A new key is a member of struct config, a value of enum config_key and a row here; flags, file,
 * help and reload follow from the row.
 */
#include "agent/config/config_keys.h"

#include "agent/cni/last_ready.h"

#include <assert.h>
#include <errno.h>

static_assert(_CONFIG_KEY_MAX <= 32, "struct config_diff has 32 bits");

#define MEMBER(m)  offsetof(struct config, m)
#define SECONDS(n) ((n)*USEC_PER_SEC)

/* clang-format off */
const struct config_row config_rows[_CONFIG_KEY_MAX] = {
	[CONFIG_NODE] = {
		{"node", "NAME", "Name of this host's Node object (default: the host's name)", NULL,
		 .runtime = false},
		CONFIG_TYPE_NODE, MEMBER(node), 0},
	[CONFIG_MANIFESTS] = {
		{"manifests", "DIR", "Read the objects from the YAML and JSON files of DIR", NULL,
		 .path = true},
		CONFIG_TYPE_PATH, MEMBER(manifests), 0},
	[CONFIG_KUBECONFIG] = {
		{"kubeconfig", "FILE", "Read the objects from the API server of FILE", NULL,
		 .path = true},
		CONFIG_TYPE_PATH, MEMBER(kubeconfig), 0},
	[CONFIG_IN_CLUSTER] = {
		{"in-cluster", NULL, "Read the objects from the API server of the cluster around us",
		 NULL,
		 .runtime = false},
		CONFIG_TYPE_BOOL, MEMBER(in_cluster), 0},
	[CONFIG_ALL_PODS] = {
		{"all-pods", "BOOL", "Watch the pods of all namespaces, not only of those that the "
		 "policies of this node's pods can select", "false",
		 .runtime = false},
		CONFIG_TYPE_BOOL, MEMBER(all_pods), 0},
	[CONFIG_EVENTS] = {
		{"events", "BOOL", "Write events to the API server about objects that are set aside",
		 "true",
		 .runtime = true},
		CONFIG_TYPE_BOOL, MEMBER(events), 0},
	[CONFIG_CONFIG] = {
		{"config", "FILE", "Read what no flag says from FILE (YAML)", NULL,
		 .path = true},
		CONFIG_TYPE_PATH, MEMBER(config), 0},
	[CONFIG_STATE_DIR] = {
		{"state-dir", "DIR", "Keep the journal of addresses in DIR", "/var/lib/manx",
		 .path = true},
		CONFIG_TYPE_PATH, MEMBER(state_dir), 0},
	[CONFIG_RUN_DIR] = {
		{"run-dir", "DIR", "Keep socket and lock in DIR", "/run/manx",
		 .path = true},
		CONFIG_TYPE_RUN_DIR, MEMBER(run_dir), 0},
	[CONFIG_CNI_CONF_DIR] = {
		{"cni-conf-dir", "DIR", "Install the CNI configuration in DIR", "/etc/cni/net.d",
		 .path = true},
		CONFIG_TYPE_PATH, MEMBER(cni_conf_dir), 0},
	[CONFIG_CNI_BIN_DIR] = {
		{"cni-bin-dir", "DIR", "Install the CNI plugin in DIR; empty: something else does",
		 "/opt/cni/bin",
		 .path = true},
		CONFIG_TYPE_PATH_OR_NONE, MEMBER(cni_bin_dir), 0},
	[CONFIG_CONFLIST_NAME] = {
		{"conflist-name", "NAME", "File name of the CNI configuration", "10-manx.conflist",
		 .runtime = false},
		CONFIG_TYPE_FILE_NAME, MEMBER(conflist_name), 0},
	[CONFIG_HTTP_ADDRESS] = {
		{"http-address", "ADDRESS:PORT", "Serve /metrics, /livez and /readyz here; empty is "
		 "off", "127.0.0.1:9109",
		 .runtime = false},
		CONFIG_TYPE_ADDRESS, MEMBER(http_address), 0},
	[CONFIG_LOG_LEVEL] = {
		{"log-level", "LEVEL", "Log error, warn, info or debug and what is worse", "info",
		 .runtime = true},
		CONFIG_TYPE_LOG_LEVEL, MEMBER(log_level), 0},
	[CONFIG_RANGES] = {
		{"ranges", "PREFIX,...", "Give pods addresses of these ranges too, beside the Node's "
		 "spec.podCIDRs", NULL,
		 .runtime = true},
		CONFIG_TYPE_RANGES, MEMBER(ranges), 0},
	[CONFIG_MASQUERADE] = {
		{"masquerade", "BOOL", "Hide pods behind the node's address towards what is outside "
		 "the cluster", "true",
		 .runtime = true},
		CONFIG_TYPE_BOOL, MEMBER(masquerade.enabled), 0},
	[CONFIG_MASQUERADE_EXCLUDE] = {
		{"masquerade-exclude", "PREFIX,...", "Do not masquerade towards these", NULL,
		 .runtime = true},
		CONFIG_TYPE_PREFIXES, MEMBER(masquerade.exclude), 0},
	[CONFIG_POD_WAIT] = {
		{"pod-wait", "DURATION", "Let CNI ADD wait so long for the Pod object; then the pod "
		 "starts isolated", "2s",
		 .runtime = true},
		CONFIG_TYPE_DURATION, MEMBER(pod_wait_usec), SECONDS(60)},
	[CONFIG_STALE_LIMIT] = {
		{"stale-limit", "DURATION", "Add no pods when pods, namespaces or policies could not "
		 "be read from the API server for so long", "5m",
		 .runtime = true},
		CONFIG_TYPE_DURATION, MEMBER(stale_limit_usec), SECONDS(86400)},
	[CONFIG_ADDRESS_COOLDOWN] = {
		{"address-cooldown", "DURATION", "Leave a freed address unused so long", "30s",
		 .runtime = true},
		CONFIG_TYPE_DURATION, MEMBER(address_cooldown_usec), SECONDS(86400)},
	[CONFIG_STATUS_GRACE] = {
		{"status-grace", "DURATION", "Let the plugin wait for an agent that went away, and "
		 "answer STATUS in its place, so long after it was ready", "2m",
		 .runtime = true},
		CONFIG_TYPE_DURATION, MEMBER(status_grace_usec), LAST_READY_GRACE_MAX},
	[CONFIG_MTU] = {
		{"mtu", "BYTES", "MTU of pod interfaces; 0 takes it from the node's interface", "0",
		 .runtime = true},
		CONFIG_TYPE_MTU, MEMBER(mtu), 0},
	[CONFIG_CONNECTIONS] = {
		{"connections", "keep|recheck", "When policies or pods change, keep connections that "
		 "are not allowed any more, or recheck and cut them", "recheck",
		 .runtime = true},
		CONFIG_TYPE_CONNECTIONS, MEMBER(connections), 0},
	[CONFIG_FORWARD_ACCEPT] = {
		{"forward-accept", "BOOL", "Where the rules of others drop packets of pods, put a "
		 "rule there that accepts them", "false",
		 .runtime = true},
		CONFIG_TYPE_BOOL, MEMBER(forward_accept), 0},
};
/* clang-format on */

/**
 * config_key_info() - What --help says about a key
 * @key: Key
 *
 * Return: its row, static
 */
const struct config_key_info *config_key_info(enum config_key key)
{
	assert(key < _CONFIG_KEY_MAX);
	return &config_rows[key].info;
}

/* Levenshtein distance, for names shorter than 32; longer ones are far from everything. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[32], len = strlen(b);

	if (strlen(a) >= ARRAY_SIZE(row) || len >= ARRAY_SIZE(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t replace = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = MIN(replace, MIN(row[j], row[j + 1]) + 1);
		}
	}
	return row[len];
}

/**
 * config_key_find() - Find a key by its name
 * @name:   Name as the file spells it, hostile
 * @ret:    Key; untouched on failure
 * @reterr: "NAME: unknown key; did you mean '...'?"
 *
 * Return: 0, -EINVAL
 */
int config_key_find(const char *name, enum config_key *ret, struct err *reterr)
{
	const char *nearest = NULL;
	size_t best = 5; /* more edits than that suggest nothing */

	for (size_t i = 0; i < _CONFIG_KEY_MAX; i++) {
		size_t distance = edit_distance(name, config_rows[i].info.name);

		if (streq(name, config_rows[i].info.name)) {
			*ret = (enum config_key)i;
			return 0;
		}
		if (i == CONFIG_CONFIG || distance >= best)
			continue;
		best = distance;
		nearest = config_rows[i].info.name;
	}
	if (!nearest)
		return err_set(reterr, -EINVAL, "%.100s: unknown key", name);
	return err_set(reterr, -EINVAL, "%.100s: unknown key; did you mean '%s'?", name, nearest);
}

/**
 * config_keys_print() - Name keys in a message: "state-dir, http-address"
 * @keys: Bits of struct config_diff
 * @out:  Where to
 */
void config_keys_print(uint32_t keys, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < _CONFIG_KEY_MAX; i++) {
		if (!(keys & UINT32_C(1) << i))
			continue;
		buf_printf(out, "%s%s", first ? "" : ", ", config_rows[i].info.name);
		first = false;
	}
}
