// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_cni.c - any environment and configuration into the CNI request parser.
 *
 * Input: lines COMMAND, CONTAINERID, NETNS, IFNAME, ARGS, then the configuration.  What is
 * accepted must keep its promises, and its result must be JSON.
 */
#include "agent/cni/cni.h"
#include "lib/intern.h"
#include "lib/utf8.h"
#include "test/fuzz/must.h"
#include "watch/document/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cut one line off; NULL (the variable is not set) when it is empty. */
static const char *line(char **rest)
{
	char *s = *rest, *end = strchr(s, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return *s ? s : NULL;
}

static void check_names(const struct cni_request *q)
{
	must(strlen(q->id) <= CONTAINER_ID_MAX && !strchr(q->id, '/'));
	must(strlen(q->ifname) <= IFNAME_MAX && !strchr(q->ifname, '/'));
	must(!strchr(q->ns, '/') && !strchr(q->pod, '/'));
	must(q->n_want <= 2 && q->n_ports <= HOST_PORTS_MAX);
	must(q->version && q->network && q->socket && q->netns && q->uid);
	must(!*q->netns || *q->netns == '/');
	must(q->n_want < 2 || q->want[0].family != q->want[1].family);
	must(!q->has_mac || !(q->mac.b[0] & 1));
	if (q->verb == CNI_ADD)
		must(*q->id && *q->ifname && *q->netns && *q->ns && *q->pod);
}

/* No two mappings may claim the same host port. */
static void check_ports(const struct cni_request *q)
{
	for (uint32_t i = 0; i < q->n_ports; i++) {
		const struct host_port *a = &q->ports[i];

		must(a->host_port && a->container_port);
		must(!a->has_ip || !addr_is_zero(&a->host_ip));
		for (uint32_t j = 0; j < i; j++) {
			const struct host_port *b = &q->ports[j];
			bool same = a->protocol == b->protocol && a->host_port == b->host_port &&
				    (!a->has_ip || !b->has_ip || addr_eq(&a->host_ip, &b->host_ip));

			must(!same);
		}
	}
}

static void check_result(const struct cni_request *q)
{
	struct attachment at = {.id = q->id,
				.ifname = q->ifname,
				.netns = q->netns,
				.host_ifname = q->ifname,
				.n_addrs = q->n_want};
	struct cni_result result = {.at = &at, .mtu = 1500, .prev = q->prev};
	_cleanup_(value_doc_freep) struct value_doc *doc = NULL;
	_cleanup_(buf_done) struct buf text = {0};
	struct err e = {0};

	memcpy(at.addrs, q->want, sizeof(at.addrs));
	cni_result_print(q->version, &result, &text);
	must(json_parse_as_go(text.data, text.len, &doc, &e) ==
	     0); /* keys of prevResult come twice */
	if (q->prev)
		(void)cni_check_prev(q, &at, &e);
}

/**
 * LLVMFuzzerTestOneInput() - One run of the fuzzer
 * @data: Input
 * @size: Bytes of @data
 *
 * Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);
	_cleanup_(cni_request_freep) struct cni_request *q = NULL;
	struct cni_env env;
	struct err e = {0};
	char *rest = text;

	env.command = line(&rest);
	env.container_id = line(&rest);
	env.netns = line(&rest);
	env.ifname = line(&rest);
	env.args = line(&rest);
	env.path = NULL;
	if (cni_request_parse(&env, rest, strlen(rest), &q, &e) < 0) {
		must(!q && e.code < 0 && e.code >= -CNI_E_CONFIG && *e.msg);
		must(utf8_valid(e.msg, strlen(e.msg)));
		return 0;
	}
	check_names(q);
	check_ports(q);
	check_result(q);
	return 0;
}
