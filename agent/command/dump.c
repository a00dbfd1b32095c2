// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dump.c - compile objects and attachments once, as a starting agent does, and print the table.
 *
 * Pure.  The objects go in sorted by kind and name: the text depends on them alone.
 */
#include "agent/command/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "datapath/datapath.h"
#include "lib/vec.h"

struct object_list {
	VEC(const struct object *) o;
};

static int add_address(struct attachment *a, const char *text, struct err *reterr)
{
	struct addr addr;

	if (addr_parse(text, &addr) < 0)
		return err_set(reterr, -EINVAL, "'%.100s' is not an address", text);
	if (a->n_addrs == 2 || (a->n_addrs == 1 && a->addrs[0].family >= addr.family))
		return err_set(reterr, -EINVAL,
			       "at most one address a family, IPv4 before IPv6; '%s' is too much",
			       text);
	a->addrs[a->n_addrs++] = addr;
	return 0;
}

static int add_addresses(struct attachment *a, const char *list, struct err *reterr)
{
	do {
		size_t len = strcspn(list, ",");
		_cleanup_(freep) char *one = xstrndup(list, len);
		int r = add_address(a, one, reterr);

		if (r < 0)
			return r;
		list += len;
	} while (*list++ == ',');
	return 0;
}

/* What ADD would have made, with an id and a MAC that follow from the name and the position. */
static void fill_in(struct attachment *a, size_t position)
{
	char host_ifname[IFNAME_MAX + 1];

	a->id = xasprintf("%s-%s", a->ns, a->pod);
	a->ifname = xstrdup("eth0");
	a->netns = xasprintf("/run/netns/%s", a->id);
	a->uid = xstrdup("");
	attachment_host_ifname(DEFAULT_NETWORK, a->id, a->ifname, host_ifname);
	a->host_ifname = xstrdup(host_ifname);
	a->mac = (struct mac){{2, 0, 0, 0, (uint8_t)(position >> 8), (uint8_t)position}};
}

/**
 * dump_attachment_parse() - Read "NAMESPACE/POD=ADDRESS[,ADDRESS]" into a local pod
 * @text:   Text
 * @list:   The attachment is appended here
 * @reterr: Message
 *
 * Return: 0, -EINVAL
 */
int dump_attachment_parse(const char *text, struct attachment_list *list, struct err *reterr)
{
	_cleanup_(attachment_freep) struct attachment *a = xcalloc(1, sizeof(*a));
	const char *slash = strchr(text, '/');
	const char *equals = slash ? strchr(slash, '=') : NULL;
	int r;

	if (!equals || slash == text || equals == slash + 1)
		return err_set(reterr, -EINVAL, "'%.100s' is not NAMESPACE/POD=ADDRESS", text);
	a->ns = xstrndup(text, (size_t)(slash - text));
	a->pod = xstrndup(slash + 1, (size_t)(equals - slash - 1));
	r = add_addresses(a, equals + 1, reterr);
	if (r < 0)
		return r;
	fill_in(a, list->at.n + 1);
	vec_push(&list->at, TAKE(a, NULL));
	return 0;
}

/**
 * attachment_list_done() - Free a list
 * @list: List
 */
void attachment_list_done(struct attachment_list *list)
{
	vec_foreach (a, &list->at)
		(void)attachment_free(*a);
	vec_done(&list->at);
}

static void collect(void *arg, const struct object *o)
{
	struct object_list *list = arg;

	vec_push(&list->o, o);
}

static int by_name(const void *x, const void *y)
{
	const struct object *a = *(const struct object *const *)x;
	const struct object *b = *(const struct object *const *)y;
	int r = strcmp(a->ns ? a->ns : "", b->ns ? b->ns : "");

	return r ? r : strcmp(a->name, b->name);
}

static void compile_and_render(const struct object_list *list, const struct config *c,
			       const struct attachment_list *attachments, struct buf *out)
{
	struct datapath *d = datapath_new(c->node ? c->node : "", NULL, NULL);
	struct part_config parts;

	config_of_parts(c, &parts);
	datapath_configure(d, &parts);
	vec_foreach (o, &list->o)
		datapath_object(d, NULL, *o);
	vec_foreach (a, &attachments->at)
		datapath_attach(d, *a);
	datapath_settle(d);
	table_render(d->table, out);
	vec_foreach (a, &attachments->at)
		datapath_detach(d, (*a)->id, (*a)->ifname);
	vec_foreach (o, &list->o)
		datapath_object(d, *o, NULL);
	datapath_settle(d);
	(void)datapath_free(d);
}

/**
 * dump_table() - Print the table
 * @objects: Every object
 * @c:       node, ranges and masquerade of it are used
 * @list:    Pods of this node
 * @out:     The table in the syntax of `nft list table`, sorted by name
 */
void dump_table(const struct store *objects, const struct config *c,
		const struct attachment_list *list, struct buf *out)
{
	struct object_list sorted = {0};

	for (int kind = 0; kind < _KIND_MAX; kind++) {
		size_t first = sorted.o.n;

		store_each(objects, (enum kind)kind, collect, &sorted);
		if (sorted.o.n > first)
			qsort(sorted.o.v + first, sorted.o.n - first, sizeof(*sorted.o.v), by_name);
	}
	compile_and_render(&sorted, c, list, out);
	vec_done(&sorted.o);
}
