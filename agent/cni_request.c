// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_request.c - check and read what a container runtime says.  Pure.
 *
 * Everything in it is hostile until it was checked: identifiers become keys of tables, names of
 * interfaces and text of logs.
 */
#include <assert.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "agent/cni.h"
#include "watch/json.h"
#include "watch/object.h"
#include "watch/utf8.h"

const char *const cni_versions[] = {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", NULL};

static const char *const verb_names[] = {"ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"};
_Static_assert(ARRAY_SIZE(verb_names) == _CNI_VERB_MAX, "a name for every verb");

/**
 * cni_verb_str() - Name of a verb as CNI_COMMAND spells it
 * @v: Verb
 *
 * Return: "ADD", "DEL", ...
 */
const char *cni_verb_str(enum cni_verb v)
{
	assert(v < _CNI_VERB_MAX);
	return verb_names[v];
}

/**
 * cni_request_free() - Free a request
 * @q: Request, perhaps half built; or NULL
 *
 * Return: NULL
 */
struct cni_request *cni_request_free(struct cni_request *q)
{
	if (!q)
		return NULL;
	free(q->version);
	free(q->network);
	free(q->socket);
	free(q->id);
	free(q->ifname);
	free(q->netns);
	free(q->ns);
	free(q->pod);
	free(q->uid);
	free(q->ports);
	for (uint32_t i = 0; i < q->n_valid; i++) {
		free(q->valid[i].id);
		free(q->valid[i].ifname);
	}
	free(q->valid);
	(void)value_doc_free(q->doc);
	free(q);
	return NULL;
}

/* --- spellings ---------------------------------------------------------------------------------
 */

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Container IDs and network names: ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$ */
static bool is_identifier(const char *s, size_t max)
{
	if (!is_alnum(s[0]) || strlen(s) > max)
		return false;
	for (; *s; s++)
		if (!is_alnum(*s) && *s != '_' && *s != '.' && *s != '-')
			return false;
	return true;
}

/* dev_valid_name() of the kernel: not ".", "..", no '/', ':' or white space */
static bool is_ifname(const char *s)
{
	if (!*s || strlen(s) > IFNAME_MAX || streq(s, ".") || streq(s, ".."))
		return false;
	for (; *s; s++)
		if (*s == '/' || *s == ':' || (unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

static int bad(struct err *reterr, enum cni_code code, const char *what, const char *value)
{
	return err_set(reterr, -(int)code, "%s: '%.80s'", what, value);
}

static char *dup_or_empty(const char *s)
{
	return xstrdup(s ? s : "");
}

/* --- environment -------------------------------------------------------------------------------
 */

static int parse_verb(const char *s, enum cni_verb *ret, struct err *reterr)
{
	if (!s)
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_COMMAND is not set");
	for (int i = 0; i < _CNI_VERB_MAX; i++) {
		if (!streq(s, verb_names[i]))
			continue;
		*ret = (enum cni_verb)i;
		return 0;
	}
	return bad(reterr, CNI_E_ENVIRONMENT, "CNI_COMMAND: unknown command", s);
}

static bool about_container(enum cni_verb v)
{
	return v == CNI_ADD || v == CNI_DEL || v == CNI_CHECK;
}

static int parse_container(const struct cni_env *env, struct cni_request *q, struct err *reterr)
{
	if (!env->container_id)
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_CONTAINERID is not set");
	if (!is_identifier(env->container_id, CONTAINER_ID_MAX))
		return bad(reterr, CNI_E_ENVIRONMENT,
			   "CNI_CONTAINERID: letters, digits, '_', '.', '-', at most 128 bytes",
			   env->container_id);
	if (!env->ifname)
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_IFNAME is not set");
	if (!is_ifname(env->ifname))
		return bad(reterr, CNI_E_ENVIRONMENT, "CNI_IFNAME: not an interface name",
			   env->ifname);
	if (q->verb != CNI_DEL && (!env->netns || !*env->netns))
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_NETNS is not set");
	if (env->netns && (strlen(env->netns) >= 4096 || !utf8_valid(env->netns, strlen(env->netns))))
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_NETNS: not a path in UTF-8");
	q->id = xstrdup(env->container_id);
	q->ifname = xstrdup(env->ifname);
	q->netns = dup_or_empty(env->netns);
	return 0;
}

static int want_address(struct cni_request *q, const char *what, const char *text,
			struct err *reterr)
{
	struct prefix p;
	struct addr a;

	if (addr_parse(text, &a) < 0) {
		const char *slash = strchr(text, '/');
		_cleanup_(freep) char *bare = xstrndup(text, slash ? (size_t)(slash - text) : 0);

		if (prefix_parse(text, &p) < 0 || addr_parse(bare, &a) < 0)
			return bad(reterr, CNI_E_CONFIG, what, text);
	}
	for (uint32_t i = 0; i < q->n_want; i++) {
		if (addr_eq(&q->want[i], &a))
			return 0;
		if (q->want[i].family == a.family)
			return bad(reterr, CNI_E_CONFIG, "a second address of the family asked for",
				   text);
	}
	q->want[q->n_want++] = a;
	return 0;
}

static int want_mac(struct cni_request *q, const char *text, struct err *reterr)
{
	if (mac_parse(text, &q->mac) < 0 || (q->mac.b[0] & 1))
		return bad(reterr, CNI_E_CONFIG, "mac: not a unicast MAC address", text);
	q->has_mac = true;
	return 0;
}

/* DNS-1123 names and UIDs: lower and upper case letters, digits, '-', '.' */
static int parse_name(const char *key, const char *value, char **ret, struct err *reterr)
{
	if (*value && !is_identifier(value, 253))
		return bad(reterr, CNI_E_ENVIRONMENT, key, value);
	free(*ret);
	*ret = xstrdup(value);
	return 0;
}

static int parse_arg(struct cni_request *q, const char *key, const char *value, bool *ret_ignore,
		     bool *ret_unknown, struct err *reterr)
{
	if (streq(key, "K8S_POD_NAMESPACE"))
		return parse_name("CNI_ARGS K8S_POD_NAMESPACE", value, &q->ns, reterr);
	if (streq(key, "K8S_POD_NAME"))
		return parse_name("CNI_ARGS K8S_POD_NAME", value, &q->pod, reterr);
	if (streq(key, "K8S_POD_UID"))
		return parse_name("CNI_ARGS K8S_POD_UID", value, &q->uid, reterr);
	if (streq(key, "IP"))
		return want_address(q, "CNI_ARGS IP", value, reterr);
	if (streq(key, "MAC"))
		return want_mac(q, value, reterr);
	if (streq(key, "IgnoreUnknown"))
		*ret_ignore = streq(value, "1") || strcasecmp(value, "true") == 0;
	else if (!streq(key, "K8S_POD_INFRA_CONTAINER_ID"))
		*ret_unknown = true;
	return 0;
}

/* Source: CNI CONVENTIONS.md, CNI_ARGS: "K=V;K=V", unknown keys need IgnoreUnknown=1. */
static int parse_args(const char *args, struct cni_request *q, struct err *reterr)
{
	_cleanup_(freep) char *copy = dup_or_empty(args);
	bool ignore = false, unknown = false;
	char *save = NULL;

	for (char *pair = strtok_r(copy, ";", &save); pair; pair = strtok_r(NULL, ";", &save)) {
		char *equals = strchr(pair, '=');
		int r;

		if (!equals)
			return bad(reterr, CNI_E_ENVIRONMENT, "CNI_ARGS: not KEY=VALUE", pair);
		*equals = '\0';
		r = parse_arg(q, pair, equals + 1, &ignore, &unknown, reterr);
		if (r < 0)
			return r;
	}
	if (unknown && !ignore)
		return err_set(reterr, -CNI_E_ENVIRONMENT,
			       "CNI_ARGS: a key is not known and IgnoreUnknown=1 is not given");
	return 0;
}

static int require_pod(const struct cni_request *q, struct err *reterr)
{
	if (q->verb != CNI_ADD && q->verb != CNI_CHECK)
		return 0;
	if (!*q->ns)
		return err_set(
			reterr, -CNI_E_ENVIRONMENT,
			"CNI_ARGS: K8S_POD_NAMESPACE is required to know the pod's policies");
	if (!*q->pod)
		return err_set(reterr, -CNI_E_ENVIRONMENT,
			       "CNI_ARGS: K8S_POD_NAME is required to know the pod's policies");
	return 0;
}

/* --- capabilities --------------------------------------------------------------------------------
 */

static int parse_protocol(const char *s, uint8_t *ret, const char *path, struct err *reterr)
{
	if (strcasecmp(s, "tcp") == 0)
		*ret = PROTO_TCP;
	else if (strcasecmp(s, "udp") == 0)
		*ret = PROTO_UDP;
	else if (strcasecmp(s, "sctp") == 0)
		*ret = PROTO_SCTP;
	else
		return err_set(reterr, -CNI_E_CONFIG,
			       "%s.protocol: '%.20s' is not tcp, udp or sctp", path, s);
	return 0;
}

static int parse_host_ip(const char *s, struct host_port *p, const char *path, struct err *reterr)
{
	if (!s || !*s)
		return 0;
	if (addr_parse(s, &p->host_ip) < 0)
		return err_set(reterr, -CNI_E_CONFIG, "%s.hostIP: '%.50s' is not an address", path,
			       s);
	p->has_ip = !addr_is_zero(&p->host_ip);
	return 0;
}

static int parse_port(const struct value *v, const char *path, struct host_port *p,
		      struct err *reterr)
{
	const char *protocol = "tcp", *host_ip = NULL;
	int64_t host = 0, container = 0;

	if (v->type != VALUE_MAP ||
	    value_get_int(v, path, "hostPort", 0, 65535, &host, reterr) < 0 ||
	    value_get_int(v, path, "containerPort", 1, 65535, &container, reterr) < 0 ||
	    value_get_str(v, path, "protocol", &protocol, reterr) < 0 ||
	    value_get_str(v, path, "hostIP", &host_ip, reterr) < 0)
		return err_set(reterr, -CNI_E_CONFIG,
			       "%s: hostPort, containerPort, protocol and "
			       "hostIP are a port mapping",
			       path);
	if (!container)
		return err_set(reterr, -CNI_E_CONFIG, "%s.containerPort: required", path);
	p->host_port = (uint16_t)host;
	p->container_port = (uint16_t)container;
	if (parse_protocol(protocol, &p->protocol, path, reterr) < 0)
		return -CNI_E_CONFIG;
	return parse_host_ip(host_ip, p, path, reterr) < 0 ? -CNI_E_CONFIG : 0;
}

static int parse_ports(const struct value *list, struct cni_request *q, struct err *reterr)
{
	if (list->n > HOST_PORTS_MAX)
		return err_set(reterr, -CNI_E_CONFIG,
			       "runtimeConfig.portMappings: %u entries, at most %d are supported",
			       list->n, HOST_PORTS_MAX);
	q->ports = xcalloc(list->n, sizeof(*q->ports));
	for (uint32_t i = 0; i < list->n; i++) {
		char path[64];
		int r;

		(void)snprintf(path, sizeof(path), "runtimeConfig.portMappings[%u]", i);
		r = parse_port(list->items[i], path, &q->ports[q->n_ports], reterr);
		if (r < 0)
			return r;
		q->n_ports += q->ports[q->n_ports].host_port != 0; /* 0: only declared */
	}
	return 0;
}

static int parse_ips(const struct value *list, const char *path, struct cni_request *q,
		     struct err *reterr)
{
	for (uint32_t i = 0; i < list->n; i++) {
		int r = list->items[i]->type != VALUE_STRING
				? err_set(reterr, -CNI_E_CONFIG, "%s[%u]: not a string", path, i)
				: want_address(q, path, list->items[i]->text, reterr);

		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_bandwidth(const struct value *b, struct err *reterr)
{
	static const char *const keys[] = {"ingressRate", "ingressBurst", "egressRate",
					   "egressBurst"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct value *v = value_get(b, keys[i]);

		if (v && v->type == VALUE_INT && v->integer)
			return err_set(reterr, -CNI_E_FIELD,
				       "runtimeConfig.bandwidth.%s: this agent does not shape "
				       "traffic; chain the bandwidth plugin",
				       keys[i]);
	}
	return 0;
}

/* "runtimeConfig" of the runtime's capabilities, or "args.cni" of the older convention */
static int parse_capabilities(const struct value *v, const char *path, struct cni_request *q,
			      struct err *reterr)
{
	const struct value *list = NULL;
	const char *mac = NULL;
	char ips[64];
	int r = 0;

	(void)snprintf(ips, sizeof(ips), "%s.ips", path);
	if (value_get_seq(v, path, "portMappings", &list, reterr) < 0)
		return -CNI_E_CONFIG;
	if (list)
		r = parse_ports(list, q, reterr);
	list = NULL;
	if (r == 0 && value_get_seq(v, path, "ips", &list, reterr) < 0)
		return -CNI_E_CONFIG;
	if (r == 0 && list)
		r = parse_ips(list, ips, q, reterr);
	if (r == 0 && value_get_str(v, path, "mac", &mac, reterr) < 0)
		return -CNI_E_CONFIG;
	if (r == 0 && mac)
		r = want_mac(q, mac, reterr);
	if (r == 0 && value_get(v, "bandwidth"))
		r = parse_bandwidth(value_get(v, "bandwidth"), reterr);
	return r;
}

/* --- configuration -------------------------------------------------------------------------------
 */

static bool is_supported(const char *version)
{
	for (size_t i = 0; cni_versions[i]; i++)
		if (streq(version, cni_versions[i]))
			return true;
	return false;
}

static int parse_version(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	const char *version = "0.1.0"; /* what an absent cniVersion means */

	if (value_get_str(conf, "", "cniVersion", &version, reterr) < 0)
		return -CNI_E_DECODE;
	if (!is_supported(version))
		return err_set(reterr, -CNI_E_VERSION,
			       "cniVersion '%.20s' is not supported; 0.3.0, 0.3.1, 0.4.0, 1.0.0 "
			       "and 1.1.0 are",
			       version);
	q->version = xstrdup(version);
	return 0;
}

static int parse_names(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	const char *name = NULL, *socket_path = "";

	if (value_get_str(conf, "", "name", &name, reterr) < 0 ||
	    value_get_str(conf, "", "socket", &socket_path, reterr) < 0)
		return -CNI_E_DECODE;
	if (!name)
		return err_set(reterr, -CNI_E_CONFIG, "name: required");
	if (!is_identifier(name, 253))
		return bad(reterr, CNI_E_CONFIG, "name: not a network name", name);
	if (value_get(conf, "ipam") && value_get(conf, "ipam")->type == VALUE_MAP &&
	    value_get(conf, "ipam")->n)
		return err_set(reterr, -CNI_E_CONFIG,
			       "ipam: addresses come from the node's ranges; remove this section");
	q->network = xstrdup(name);
	q->socket = xstrdup(socket_path);
	return 0;
}

static int parse_valid(const struct value *list, struct cni_request *q, struct err *reterr)
{
	q->valid = xcalloc(list->n, sizeof(*q->valid));
	for (uint32_t i = 0; i < list->n; i++) {
		const char *id = NULL, *ifname = NULL;
		struct cni_key *k = &q->valid[i];

		if (list->items[i]->type != VALUE_MAP ||
		    value_get_str(list->items[i], "", "containerID", &id, reterr) <= 0 ||
		    value_get_str(list->items[i], "", "ifname", &ifname, reterr) <= 0)
			return err_set(reterr, -CNI_E_CONFIG,
				       "cni.dev/valid-attachments[%u]: containerID and ifname are "
				       "required",
				       i);
		*k = (struct cni_key){xstrdup(id), xstrdup(ifname)};
		q->n_valid++;
	}
	return 0;
}

/* A GC without the list must not be read as "nothing is valid". */
static int parse_gc(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	const struct value *list = NULL;

	if (q->verb != CNI_GC)
		return 0;
	if (value_get_seq(conf, "", "cni.dev/valid-attachments", &list, reterr) < 0)
		return -CNI_E_DECODE;
	if (!list)
		return err_set(reterr, -CNI_E_CONFIG, "cni.dev/valid-attachments: required for GC");
	return parse_valid(list, q, reterr);
}

static int parse_runtime(const struct value *conf, struct cni_request *q, struct err *reterr)
{
	const struct value *runtime = NULL, *args = NULL, *cni = NULL;
	int r = 0;

	if (value_get_map(conf, "", "runtimeConfig", &runtime, reterr) < 0 ||
	    value_get_map(conf, "", "args", &args, reterr) < 0 ||
	    (args && value_get_map(args, "args", "cni", &cni, reterr) < 0) ||
	    value_get_map(conf, "", "prevResult", &q->prev, reterr) < 0)
		return -CNI_E_DECODE;
	if (runtime)
		r = parse_capabilities(runtime, "runtimeConfig", q, reterr);
	if (r == 0 && cni)
		r = parse_capabilities(cni, "args.cni", q, reterr);
	return r;
}

static int parse_configuration(const char *conf, size_t len, struct cni_request *q,
			       struct err *reterr)
{
	const struct value *root;
	int r;

	if (len > CNI_STDIN_MAX)
		return err_set(reterr, -CNI_E_DECODE,
			       "the network configuration has %zu bytes, at most %u are read", len,
			       CNI_STDIN_MAX);
	if (json_parse(conf, len, &q->doc, reterr) < 0) {
		(void)err_prefix(reterr, "network configuration: ");
		reterr->code = -CNI_E_DECODE;
		return -CNI_E_DECODE;
	}
	root = value_root(q->doc);
	if (!root || root->type != VALUE_MAP)
		return err_set(reterr, -CNI_E_DECODE, "network configuration: not a JSON object");
	r = parse_version(root, q, reterr);
	if (r == 0)
		r = parse_names(root, q, reterr);
	if (r == 0)
		r = parse_gc(root, q, reterr);
	return r == 0 ? parse_runtime(root, q, reterr) : r;
}

/**
 * cni_request_parse() - Check and read a request
 * @env:    Environment
 * @conf:   Network configuration
 * @len:    Its bytes
 * @ret:    Request; untouched on failure
 * @reterr: What is wrong; @code is the negative of an enum cni_code
 *
 * Source: CNI specification 1.1.0, sections 1, 2 and 5.
 *
 * Return: 0; the negative of an enum cni_code
 */
int cni_request_parse(const struct cni_env *env, const char *conf, size_t len,
		      struct cni_request **ret, struct err *reterr)
{
	_cleanup_(cni_request_freep) struct cni_request *q = xcalloc(1, sizeof(*q));
	struct err scratch = {0};
	struct err *e = reterr ? reterr : &scratch;
	int r = parse_verb(env->command, &q->verb, e);

	q->ns = xstrdup("");
	q->pod = xstrdup("");
	q->uid = xstrdup("");
	if (r == 0)
		r = parse_configuration(conf, len, q, e);
	if (r == 0 && about_container(q->verb))
		r = parse_container(env, q, e);
	if (r == 0 && about_container(q->verb))
		r = parse_args(env->args, q, e);
	if (r == 0)
		r = require_pod(q, e);
	if (r < 0) {
		e->code = r;
		return r;
	}
	if (!q->id)
		q->id = xstrdup("");
	if (!q->ifname)
		q->ifname = xstrdup("");
	if (!q->netns)
		q->netns = xstrdup("");
	*ret = TAKE(q, NULL);
	return 0;
}
