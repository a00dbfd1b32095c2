// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cni_request.c - check and read what a container runtime says in the environment.  Pure.
 *
 * Everything in it is hostile until it was checked: identifiers become keys of tables, names of
 * interfaces and text of logs.  CNI_ARGS is read by cni_args.c, the configuration on standard
 * input by cni_config.c.
 *
 * DEL is judged mildly: a pod must be deletable, whatever its CNI_ARGS and capabilities say by
 * now, so what DEL does not need is not looked at.
 */
#include <assert.h>
#include <stdio.h>

#include "agent/cni/cni_internal.h"
#include "lib/hash.h"
#include "lib/utf8.h"

#define NETNS_MAX 4095 /* bytes of a path, PATH_MAX without NUL */

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

/* --- spellings ------------------------------------------------------------------------------- */

/**
 * cni_shown() - Text from outside as a message quotes it
 * @s:   Text, any bytes
 * @buf: Where to
 *
 * Return: @buf: at most 80 bytes of @s, what is not printable ASCII as '?'
 */
const char *cni_shown(const char *s, char buf[static CNI_SHOWN_MAX])
{
	size_t n = strlen(s), max = CNI_SHOWN_MAX - 4;

	(void)snprintf(buf, CNI_SHOWN_MAX, "%.*s%s", (int)max, s, n > max ? "..." : "");
	for (char *c = buf; *c; c++)
		if (*c < ' ' || *c >= 0x7f)
			*c = '?';
	return buf;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/**
 * cni_is_identifier() - Container IDs and network names: ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$
 * @s:   Text
 * @max: Bytes it may have
 *
 * Source: CNI specification 1.1.0, sections 1 ("name") and 2 ("CNI_CONTAINERID").
 *
 * Return: true if @s is one
 */
bool cni_is_identifier(const char *s, size_t max)
{
	if (!is_alnum(s[0]) || strlen(s) > max)
		return false;
	for (; *s; s++)
		if (!is_alnum(*s) && *s != '_' && *s != '.' && *s != '-')
			return false;
	return true;
}

/* As dev_valid_name() of the kernel: not ".", "..", no '/', ':' or white space; and ASCII. */
static bool is_ifname(const char *s)
{
	if (!*s || strlen(s) > IFNAME_MAX || streq(s, ".") || streq(s, ".."))
		return false;
	for (; *s; s++)
		if (*s == '/' || *s == ':' || *s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

static bool is_path(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return false;
	return s[0] == '/' && len <= NETNS_MAX && utf8_valid(s, len);
}

/* --- environment ----------------------------------------------------------------------------- */

static int bad_environment(struct err *reterr, const char *what, const char *value)
{
	char shown[CNI_SHOWN_MAX];

	return err_set(reterr, -CNI_E_ENVIRONMENT, "%s: '%s'", what, cni_shown(value, shown));
}

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
	return bad_environment(reterr, "CNI_COMMAND: unknown command", s);
}

static bool is_about_container(enum cni_verb v)
{
	return v == CNI_ADD || v == CNI_DEL || v == CNI_CHECK;
}

static int parse_container(const struct cni_env *env, struct cni_request *q, struct err *reterr)
{
	if (!env->container_id)
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_CONTAINERID is not set");
	if (!cni_is_identifier(env->container_id, CONTAINER_ID_MAX))
		return bad_environment(
			reterr,
			"CNI_CONTAINERID: letters, digits, '_', '.', '-', at most 128 bytes",
			env->container_id);
	if (!env->ifname)
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_IFNAME is not set");
	if (!is_ifname(env->ifname))
		return bad_environment(reterr, "CNI_IFNAME: not an interface name", env->ifname);
	free(q->id);
	q->id = xstrdup(env->container_id);
	free(q->ifname);
	q->ifname = xstrdup(env->ifname);
	return 0;
}

/* Of a DEL the namespace may be gone, and nobody looks into it. */
static int parse_netns(const char *netns, struct cni_request *q, struct err *reterr)
{
	bool given = netns && *netns;

	if (q->verb != CNI_DEL && !given)
		return err_set(reterr, -CNI_E_ENVIRONMENT, "CNI_NETNS is not set");
	if (q->verb != CNI_DEL && !is_path(netns))
		return bad_environment(reterr, "CNI_NETNS: not an absolute path", netns);
	if (!given || !is_path(netns))
		return 0;
	free(q->netns);
	q->netns = xstrdup(netns);
	return 0;
}

static int parse_environment(const struct cni_env *env, struct cni_request *q, struct err *reterr)
{
	int r;

	if (!is_about_container(q->verb))
		return 0;
	r = parse_container(env, q, reterr);
	if (r == 0)
		r = parse_netns(env->netns, q, reterr);
	if (r < 0)
		return r;
	if (q->verb == CNI_DEL) {
		(void)cni_args_parse(env->args, q, NULL); /* for the log */
		return 0;
	}
	return cni_args_parse(env->args, q, reterr);
}

/**
 * cni_request_parse() - Check and read a request
 * @env:    Environment
 * @conf:   Network configuration; for VERSION only its cniVersion is looked at
 * @len:    Its bytes
 * @ret:    Request; untouched on failure
 * @reterr: What is wrong; its @code is the negative of an enum cni_code, too
 *
 * Source: CNI specification 1.1.0, sections 1, 2 and 5.
 *
 * Return: 0; the negative of an enum cni_code, for the caller to print the positive one
 */
int cni_request_parse(const struct cni_env *env, const char *conf, size_t len,
		      struct cni_request **ret, struct err *reterr)
{
	_cleanup_(cni_request_freep) struct cni_request *q = xcalloc(1, sizeof(*q));
	struct err scratch = {0};
	struct err *e = reterr ? reterr : &scratch;
	char **texts[] = {&q->version, &q->network, &q->socket, &q->id, &q->ifname,
			  &q->netns,   &q->ns,	    &q->pod,	&q->uid};
	int r = parse_verb(env->command, &q->verb, e);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*texts[i] = xstrdup("");
	if (r == 0)
		r = cni_config_parse(conf, len, q, e);
	if (r == 0)
		r = parse_environment(env, q, e);
	if (r < 0) {
		e->code = r;
		return r;
	}
	*ret = TAKE(q, NULL);
	return 0;
}

/* A stable, locally administered unicast address. */
static struct mac choose_mac(const struct attachment *at)
{
	_cleanup_(freep) char *key = xasprintf("mac %s %s", at->id, at->ifname);
	uint64_t h = hash_stable(key, strlen(key));
	struct mac m;

	memcpy(m.b, &h, MAC_LEN);
	m.b[0] = (uint8_t)((m.b[0] & 0xfc) | 0x02);
	return m;
}

/**
 * cni_attachment_new() - An attachment without addresses, as a request describes it
 * @q: Request about a container
 *
 * Return: the attachment, to be freed
 */
struct attachment *cni_attachment_new(const struct cni_request *q)
{
	struct attachment *at = xcalloc(1, sizeof(*at));
	char host_ifname[IFNAME_MAX + 1];

	attachment_host_ifname(q->network, q->id, q->ifname, host_ifname);
	at->id = xstrdup(q->id);
	at->ifname = xstrdup(q->ifname);
	at->network = xstrdup(q->network);
	at->netns = xstrdup(q->netns);
	at->ns = xstrdup(q->ns);
	at->pod = xstrdup(q->pod);
	at->uid = xstrdup(q->uid);
	at->host_ifname = xstrdup(host_ifname);
	at->mac = q->has_mac ? q->mac : choose_mac(at);
	at->n_ports = q->n_ports;
	at->ports = xmemdup(q->ports, q->n_ports * sizeof(*q->ports));
	return at;
}
