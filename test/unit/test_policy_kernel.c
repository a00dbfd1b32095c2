// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_policy_kernel.c - what policies, pods and nodes compile to, against the real nf_tables;
 * needs root.
 *
 * The table is made of objects and attachments, as the agent makes it: the kernel has to take each
 * change of them at its first try, because a refused transaction is a policy that is not in force,
 * and hold afterwards what is rendered.  Each test has a fresh network namespace without any
 * traffic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/datapath.h"
#include "datapath/nft/foreign.h"
#include "decoding.h"
#include "kernel_lab.h"

enum { VERSIONS_MAX = 3, ATTACHMENTS = 5, STEPS = 300 };

/* --- a small cluster ---------------------------------------------------------------------------
 */

/* Documents of one kind and name are versions of one object. */
static const char cluster[] =
	"{apiVersion: v1, kind: Node, metadata: {name: me},\n"
	" spec: {podCIDRs: [10.1.0.0/24, 'fd00:1::/64']},\n"
	" status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}\n"
	"---\n"
	"{apiVersion: v1, kind: Node, metadata: {name: other},\n"
	" spec: {podCIDRs: [10.1.1.0/24, 'fd00:1:0:1::/64']},\n"
	" status: {addresses: [{type: InternalIP, address: 192.0.2.2}]}}\n"
	"---\n"
	"{apiVersion: v1, kind: Node, metadata: {name: other}, spec: {podCIDRs: [10.1.4.0/22]},\n"
	" status: {addresses: [{type: InternalIP, address: 192.0.2.3}]}}\n"
	"---\n"
	"{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: a}}}\n"
	"---\n"
	"{apiVersion: v1, kind: Namespace, metadata: {name: back, labels: {team: b}}}\n"
	"---\n"
	"{apiVersion: v1, kind: Namespace, metadata: {name: back, labels: {team: a}}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}},\n"
	" spec: {nodeName: me, containers: [{name: c, ports: [{name: http, containerPort: "
	"80}]}]}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}},\n"
	" spec: {nodeName: me, containers: [{name: c, ports: [{name: http, containerPort: "
	"8080}]}]}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: web2, namespace: shop, labels: {app: web}},\n"
	" spec: {nodeName: me, containers: [{name: c, ports: [{name: http, containerPort: "
	"81}]}]}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: back, labels: {app: db}},\n"
	" spec: {nodeName: me}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: back, labels: {app: web}},\n"
	" spec: {nodeName: me}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: six, namespace: shop, labels: {app: six}},\n"
	" spec: {nodeName: me}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: far, namespace: back, labels: {app: db}},\n"
	" spec: {nodeName: other, containers: [{name: c, ports: [{name: http, containerPort: "
	"99}]}]},\n"
	" status: {podIPs: [{ip: 10.1.1.9}, {ip: 'fd00:1:0:1::9'}]}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: far, namespace: back, labels: {app: db}},\n"
	" spec: {nodeName: other}, status: {podIPs: [{ip: 10.1.1.10}]}}\n"
	"---\n"
	/* everything closed, both directions */
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
	" metadata: {name: closed, namespace: back},\n"
	" spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}\n"
	"---\n"
	/* ports by number: a verdict map with plain keys; then with ranges; then for everyone */
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
	" metadata: {name: ports, namespace: shop},\n"
	" spec: {podSelector: {matchLabels: {app: web}}, ingress: [\n"
	"  {from: [{podSelector: {}}], ports: [{port: 80}, {protocol: UDP, port: 53}]},\n"
	"  {from: [{namespaceSelector: {matchLabels: {team: b}}}], ports: [{port: 443}]}]}}\n"
	"---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
	" metadata: {name: ports, namespace: shop},\n"
	" spec: {podSelector: {matchLabels: {app: web}}, ingress: [\n"
	"  {from: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 8000, endPort: 8999}]},\n"
	"  {from: [{ipBlock: {cidr: 198.51.100.0/24}}],\n"
	"   ports: [{port: 8500, endPort: 9500}, {protocol: SCTP}]}]}}\n"
	"---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
	" metadata: {name: ports, namespace: shop},\n"
	" spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]}}\n"
	"---\n"
	/* ports by name: a set of address, protocol and port */
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
	" metadata: {name: named, namespace: shop},\n"
	" spec: {podSelector: {}, policyTypes: [Egress], egress: [\n"
	"  {to: [{namespaceSelector: {}}], ports: [{port: http}]},\n"
	"  {to: [{namespaceSelector: {matchLabels: {team: b}}}]}]}}\n"
	"---\n"
	/* address blocks with holes, in both families; then with others that overlap the first */
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
	" metadata: {name: blocks, namespace: shop},\n"
	" spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [\n"
	"   {ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24, 172.17.3.7/32]}},\n"
	"   {ipBlock: {cidr: 'fd00:5::/64', except: ['fd00:5::8/125']}}]}],\n"
	"  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32]}},\n"
	"   {ipBlock: {cidr: '::/0'}}], ports: [{port: 443}]}]}}\n"
	"---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
	" metadata: {name: blocks, namespace: shop},\n"
	" spec: {podSelector: {}, ingress: [{from: [\n"
	"   {ipBlock: {cidr: 172.16.0.0/12, except: [172.17.2.0/23]}}]}]}}\n";

/* struct slot - an object: the versions there are, and the one in force or NULL */
struct slot {
	size_t n;
	struct object *version[VERSIONS_MAX];
	const struct object *now;
};

struct world {
	struct nft_socket *nft;
	struct datapath *datapath;
	struct nft_table *t; /* of @datapath */
	struct decoded objects;
	VEC(struct slot) slots;
	struct attachment *attachment[ATTACHMENTS];
	bool attached[ATTACHMENTS];
	struct err err;
};

static bool same_object(const struct object *a, const struct object *b)
{
	return a->kind == b->kind && a->ns == b->ns && a->name == b->name;
}

static void put_in_slot(struct world *w, struct object *o)
{
	vec_foreach (s, &w->slots) {
		if (!same_object(s->version[0], o))
			continue;
		assert_true(s->n < VERSIONS_MAX);
		s->version[s->n++] = o;
		return;
	}
	vec_push(&w->slots, (struct slot){.n = 1, .version = {o}});
}

static struct attachment *attachment(unsigned int n, const char *ns, const char *pod)
{
	struct attachment *a = xcalloc(1, sizeof(*a));
	char host_ifname[IFNAME_MAX + 1];

	a->id = xasprintf("container-%u", n);
	a->ifname = xstrdup("eth0");
	a->netns = xasprintf("/run/netns/%u", n);
	a->ns = xstrdup(ns);
	a->pod = xstrdup(pod);
	a->uid = xstrdup("");
	attachment_host_ifname(DEFAULT_NETWORK, a->id, a->ifname, host_ifname);
	a->host_ifname = xstrdup(host_ifname);
	a->mac = (struct mac){{2, 0, 0, 0, 0, (uint8_t)n}};
	a->n_addrs = 2;
	a->addrs[0] = (struct addr){AF_INET, {10, 1, 0, (uint8_t)n}};
	a->addrs[1] = (struct addr){AF_INET6, {0xfd, 0, 0, 1, [15] = (uint8_t)n}};
	return a;
}

static void publish(struct attachment *a, const struct host_port *ports, uint32_t n)
{
	a->n_ports = n;
	a->ports = xcalloc(n, sizeof(*ports));
	memcpy(a->ports, ports, n * sizeof(*ports));
}

static void make_attachments(struct world *w)
{
	const struct host_port ports[] = {
		{.protocol = 6, .host_port = 8080, .container_port = 80},
		{.protocol = 17,
		 .host_port = 53,
		 .container_port = 5353,
		 .has_ip = true,
		 .host_ip = {AF_INET, {192, 0, 2, 1}}},
		{.protocol = 132,
		 .host_port = 9,
		 .container_port = 9,
		 .has_ip = true,
		 .host_ip = {AF_INET6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}},
	};

	w->attachment[0] = attachment(5, "shop", "web");
	publish(w->attachment[0], ports, ARRAY_SIZE(ports));
	w->attachment[1] = attachment(6, "shop", "web2");
	w->attachment[2] = attachment(7, "back", "db");
	w->attachment[3] = attachment(8, "shop", "six");
	w->attachment[3]->n_addrs = 1;
	w->attachment[3]->addrs[0] = w->attachment[3]->addrs[1];
	w->attachment[4] = attachment(9, "shop", "nobody-knows-it");
}

/* --- as the agent does it ----------------------------------------------------------------------
 */

static void start_agent(struct world *w)
{
	const struct part_config config = {.masquerade = true};

	w->datapath = datapath_new("me", NULL, NULL);
	w->t = w->datapath->table;
	datapath_configure(w->datapath, &config);
}

static void become(struct world *w, struct slot *s, const struct object *o)
{
	if (s->now == o)
		return;
	datapath_object(w->datapath, s->now, o);
	s->now = o;
}

static void attach(struct world *w, size_t i, bool attached)
{
	const struct attachment *a = w->attachment[i];

	if (attached && !w->attached[i])
		datapath_attach(w->datapath, a);
	if (!attached && w->attached[i])
		datapath_detach(w->datapath, a->id, a->ifname);
	w->attached[i] = attached;
}

static void stop_agent(struct world *w)
{
	vec_foreach (s, &w->slots)
		become(w, s, NULL);
	for (size_t i = 0; i < ATTACHMENTS; i++)
		attach(w, i, false);
	datapath_settle(w->datapath);
	w->datapath = datapath_free(w->datapath);
}

/* Every object in its first version, every attachment. */
static void everything(struct world *w)
{
	vec_foreach (s, &w->slots)
		become(w, s, s->version[0]);
	for (size_t i = 0; i < ATTACHMENTS; i++)
		attach(w, i, true);
	datapath_settle(w->datapath);
}

/* nft_apply() would mend a refusal by reading the table and trying again: here that is a fault. */
static void must_apply_at_once(struct world *w)
{
	struct nft_stats before = *nft_stats(w->nft);

	if (nft_apply_all(w->nft, w->t, &w->err) != 0)
		fail_msg("%s", w->err.msg);
	assert_int_equal(table_pending(w->t), 0);
	assert_int_equal(nft_stats(w->nft)->errors, before.errors);
	assert_int_equal(nft_stats(w->nft)->resyncs, before.resyncs);
}

static void must_read(struct world *w)
{
	if (nft_read(w->nft, w->t, &w->err) < 0)
		fail_msg("%s", w->err.msg);
}

/* --- what nft lists ----------------------------------------------------------------------------
 */

typedef VEC(char *) lines;

static void lines_done(lines *l)
{
	vec_foreach (s, l)
		free(*s);
	vec_done(l);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "a, b, c" of any number of lines; our comments of elements have no comma. */
static void put_elements(lines *l, const char *block, char *text)
{
	char *save = NULL;

	for (char *e = strtok_r(text, ",", &save); e; e = strtok_r(NULL, ",", &save))
		vec_push(l, xasprintf("%s: element %s", block, e + strspn(e, " ")));
}

/* Newer versions of nft have a name for this priority in the hook output, too. */
static const char *as_of_1_0_6(const char *line)
{
	if (streq(line, "type nat hook output priority dstnat; policy accept;"))
		return "type nat hook output priority -100; policy accept;";
	return line;
}

/*
 * A listing as sorted lines, "set NAME: 003 rule" or "set NAME: element x": sets, chains and
 * elements may come in any order, rules may not.
 */
static void normalise(char *listing, lines *ret)
{
	_cleanup_(buf_done) struct buf elements = {0};
	const char *block = "table";
	char *save = NULL;
	bool inside = false;
	int number = 0;

	for (char *s = strtok_r(listing, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		size_t len;

		s += strspn(s, "\t ");
		len = strlen(s);
		if (str_starts(s, "elements = { ")) {
			inside = true;
			s += strlen("elements = { ");
			len -= strlen("elements = { ");
		}
		if (inside) {
			inside = len < 2 || !streq(s + len - 2, " }");
			buf_printf(&elements, "%.*s", (int)(inside ? len : len - 2), s);
			if (!inside) {
				put_elements(ret, block, elements.data);
				buf_done(&elements);
			}
		} else if (len > 2 && streq(s + len - 2, " {")) {
			s[len - 2] = '\0';
			block = s;
			number = 0;
		} else if (!streq(s, "}")) {
			vec_push(ret, xasprintf("%s: %03d %s", block, number++, as_of_1_0_6(s)));
		}
	}
	vec_sort(ret, by_text);
}

static void assert_kernel_has_what_is_rendered(struct world *w)
{
	_cleanup_(freep) char *listing = lab_output("nft list table inet manx 2>&1");
	_cleanup_(lines_done) lines kernel = {0}, ours = {0};
	_cleanup_(buf_done) struct buf rendered = {0};

	table_render(w->t, &rendered);
	normalise(listing, &kernel);
	normalise(rendered.data, &ours);
	for (size_t i = 0; i < MIN(kernel.n, ours.n); i++)
		assert_string_equal(kernel.v[i], ours.v[i]);
	assert_int_equal(kernel.n, ours.n);
}

static void assert_kernel_is_read_back(struct world *w)
{
	must_read(w);
	assert_int_equal(table_pending(w->t), 0);
	assert_kernel_has_what_is_rendered(w);
}

/* --- set up ------------------------------------------------------------------------------------
 */

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	lab_enter_new();
	assert_int_equal(nft_open(&w->nft, &w->err), 0);
	w->objects = decode(cluster);
	assert_int_equal(w->objects.r, 0);
	vec_foreach (o, &w->objects.o) {
		assert_no_problem(*o);
		put_in_slot(w, *o);
	}
	make_attachments(w);
	start_agent(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	stop_agent(w);
	(void)nft_close(w->nft);
	for (size_t i = 0; i < ATTACHMENTS; i++)
		(void)attachment_free(w->attachment[i]);
	vec_done(&w->slots);
	decoded_done(&w->objects);
	free(w);
	return 0;
}

/* --- tests -------------------------------------------------------------------------------------
 */

/* One of each shape that policies compile to: else the comparison would prove little. */
static const char *const shapes[] = {
	"type inet_proto . inet_service : verdict",
	"tcp . 443 : goto in_",
	"tcp . 80 : accept",
	"tcp . 9000-9500 : goto in_",
	"sctp . 0-65535 : goto in_",
	"tcp . 8080 : 10.1.0.5 . 80",
	"192.0.2.1 . udp . 53 : 10.1.0.5 . 5353",
	"2001:db8::1 . sctp . 9 : fd00:1::5 . 9",
	"10.1.0.9 comment \"shop/nobody-knows-it\" : jump unknown_pod",
	"10.1.0.5 . tcp . 80",
	"fd00:1:0:1::9 . tcp . 99",
	"172.17.3.8-172.17.255.255",
	"fd00:5::10-fd00:5::ffff:ffff:ffff:ffff",
	"ip6 daddr . meta l4proto . th dport @",
	"meta l4proto . th dport vmap @",
	"counter packets 0 bytes 0 drop comment \"no policy allows it\"",
	"ip saddr @pod_ranges4 ip daddr != @cluster4 masquerade fully-random",
	"ip6 daddr @node_addresses6 dnat ip6 to meta l4proto . th dport map @hostports6",
	"10.1.4.0/22",
};

static void the_kernel_takes_it_and_nft_lists_it_as_rendered(void **state)
{
	_cleanup_(buf_done) struct buf all = {0};
	struct world *w = *state;

	everything(w);
	for (size_t version = 0; version < VERSIONS_MAX; version++) {
		_cleanup_(freep) char *listing = NULL;

		vec_foreach (s, &w->slots)
			become(w, s, s->version[MIN(version, s->n - 1)]);
		datapath_settle(w->datapath);
		must_apply_at_once(w);
		assert_kernel_is_read_back(w);
		listing = lab_output("nft list table inet manx");
		buf_puts(&all, listing);
	}
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		if (!strstr(all.data, shapes[i]))
			fail_msg("in no version of the table: %s", shapes[i]);
}

/* A new process hears of the objects in another order. */
static void a_restarted_agent_sends_nothing(void **state)
{
	struct world *w = *state;
	uint64_t before;

	everything(w);
	must_apply_at_once(w);
	stop_agent(w);
	start_agent(w);
	for (size_t i = ATTACHMENTS; i-- > 0;)
		attach(w, i, true);
	for (size_t i = w->slots.n; i-- > 0;) {
		become(w, &w->slots.v[i], w->slots.v[i].version[0]);
		datapath_settle(w->datapath);
	}
	assert_kernel_is_read_back(w);
	before = nft_stats(w->nft)->operations;
	must_apply_at_once(w);
	assert_int_equal(nft_stats(w->nft)->operations, before);
}

static void one_random_change(struct world *w, unsigned short seed[3])
{
	size_t i = (size_t)nrand48(seed) % (w->slots.n + ATTACHMENTS);
	struct slot *s;

	if (i >= w->slots.n) {
		i -= w->slots.n;
		attach(w, i, !w->attached[i]);
		return;
	}
	s = &w->slots.v[i];
	i = (size_t)nrand48(seed) % (s->n + 1);
	become(w, s, i < s->n ? s->version[i] : NULL);
}

/* Objects and pods that come, change and go, one or several in a turn. */
static void the_kernel_takes_every_change_at_once(void **state)
{
	struct world *w = *state;
	unsigned short seed[3] = {4, 2, 1};

	everything(w);
	must_apply_at_once(w);
	for (int step = 0; step < STEPS; step++) {
		for (long n = nrand48(seed) % 4; n >= 0; n--)
			one_random_change(w, seed);
		datapath_settle(w->datapath);
		must_apply_at_once(w);
		if (step % 10 == 0)
			assert_kernel_is_read_back(w);
	}
	assert_kernel_is_read_back(w);
}

/* When the last policy and pod are gone, so is everything but the fixed program. */
static void nothing_stays_behind(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *before = NULL, *after = NULL;

	datapath_settle(w->datapath);
	must_apply_at_once(w);
	before = lab_output("nft list table inet manx | sort");
	everything(w);
	must_apply_at_once(w);
	for (size_t i = 0; i < ATTACHMENTS; i++) {
		attach(w, i, false);
		datapath_settle(w->datapath);
		must_apply_at_once(w);
	}
	vec_foreach (s, &w->slots) {
		become(w, s, NULL);
		datapath_settle(w->datapath);
		must_apply_at_once(w);
	}
	after = lab_output("nft list table inet manx | sort");
	assert_string_equal(before, after);
	assert_true(strlen(before) > 1000);
}

/* Names of all the objects of a listing that begin so: "set", "map" or "chain". */
static void names_of(const char *what, lines *ret)
{
	_cleanup_(freep) char *names =
		lab_output("nft list table inet manx | sed -n 's/^\t%s \\(.*\\) {$/\\1/p'", what);
	char *save = NULL;

	for (char *s = strtok_r(names, "\n", &save); s; s = strtok_r(NULL, "\n", &save))
		vec_push(ret, xstrdup(s));
}

/* Everything applied, and a listener that begins there. */
static struct nft_foreign *apply_and_listen(struct world *w)
{
	struct nft_foreign *f = NULL;

	everything(w);
	must_apply_at_once(w);
	assert_int_equal(nft_foreign_open(w->nft, "manx", &f, &w->err), 0);
	assert_true(nft_foreign_touched(f)->all); /* by whoever was there before */
	nft_touched_done(nft_foreign_touched(f));
	return f;
}

/*
 * A command of somebody else that changes our table: told, read by the names told alone, and
 * mended.  @command: of nft; @everything: it is told as a change of everything.
 */
static void assert_mended(struct world *w, struct nft_foreign *f, const char *command,
			  bool everything)
{
	struct nft_touched *touched = nft_foreign_touched(f);
	struct nft_culprit culprit;

	lab_run("nft '%s'", command);
	if (!nft_foreign_read(f, &culprit) || touched->all != everything)
		fail_msg("%s: not told, or not what", command);
	if (nft_read_touched(w->nft, w->t, touched, &w->err) < 0)
		fail_msg("%s: %s", command, w->err.msg);
	if (!table_pending(w->t))
		fail_msg("%s: not found", command);
	must_apply_at_once(w);
	assert_kernel_is_read_back(w);
}

/* Of a chain that is listed: does anything follow on its comment? */
static bool has_rules(const char *list)
{
	const char *comment = strstr(list, "\n\t\t");

	return comment && strstr(comment + 1, "\n\t\t");
}

/* Whatever somebody empties: it is found, filled again, and nothing else is touched. */
static void assert_each_is_mended(struct world *w, struct nft_foreign *f, const char *what,
				  const char *command, size_t at_least)
{
	_cleanup_(lines_done) lines names = {0};
	size_t broken = 0;

	names_of(what, &names);
	vec_foreach (name, &names) {
		_cleanup_(freep) char *full = xasprintf("%s inet manx %s", command, *name);
		_cleanup_(freep) char *list = lab_output("nft list %s inet manx %s", what, *name);

		if (streq(what, "chain") ? !has_rules(list) : !strstr(list, "elements"))
			continue; /* there is nothing in it */
		broken++;
		assert_mended(w, f, full, false);
	}
	print_message("%zu of %zu broken by '%s' and mended\n", broken, names.n, command);
	assert_true(broken >= at_least);
}

static void what_somebody_empties_is_mended(void **state)
{
	struct world *w = *state;
	struct nft_foreign *f = apply_and_listen(w);

	assert_each_is_mended(w, f, "set", "flush set", 12);
	assert_each_is_mended(w, f, "map", "flush map", 8);
	assert_each_is_mended(w, f, "chain", "flush chain", 14);
	(void)nft_foreign_close(f);
}

static void what_somebody_changes_is_mended(void **state)
{
	static const struct {
		const char *command;
		bool everything;
	} changes[] = {
		{"add element inet manx self4 { 10.9.9.9 . 10.9.9.9 }", false},
		{"add element inet manx self4 { 10.9.9.8 . 10.9.9.9 comment \"x\" }", false},
		{"delete element inet manx self4 { 10.1.0.5 . 10.1.0.5 }", false},
		{"add element inet manx hostports4 { tcp . 9 : 10.9.9.9 . 9 }", false},
		{"add element inet manx cluster4 { 10.200.0.0/16 }", false},
		{"add element inet manx ingress4 { 10.9.9.9 : drop }", false},
		{"delete element inet manx ingress4 { 10.1.0.5 }; "
		 "add element inet manx ingress4 { 10.1.0.5 : accept }",
		 false},
		{"insert rule inet manx forward accept", false},
		{"add rule inet manx forward ip saddr { 10.9.9.1, 10.9.9.2 } drop", false},
		{"add set inet manx theirs { type ipv4_addr; flags timeout; }; "
		 "add element inet manx theirs { 10.9.9.9 timeout 1h }",
		 false},
		{"flush chain inet manx hostports; delete map inet manx hostports4; "
		 "add map inet manx hostports4 { type ipv4_addr : verdict; }; "
		 "add element inet manx hostports4 { 10.9.9.9 : drop }",
		 false},
		{"flush chain inet manx hostports; delete map inet manx hostports4", false},
		{"flush chain inet manx forward; delete chain inet manx forward", false},
		{"add chain inet manx theirs", true},
		{"rename chain inet manx forward theirs", true},
		{"delete table inet manx", true},
		{"flush ruleset", true},
	};
	struct world *w = *state;
	struct nft_foreign *f = apply_and_listen(w);

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		assert_mended(w, f, changes[i].command, changes[i].everything);
	(void)nft_foreign_close(f);
}

/* More elements than a list may hold: their set is read. */
static void many_elements_are_their_set(void **state)
{
	_cleanup_(buf_done) struct buf command = {0};
	struct world *w = *state;
	struct nft_foreign *f = apply_and_listen(w);

	for (int i = 0; i <= NFT_TOUCHED_MAX; i++)
		buf_printf(&command, "add element inet manx self4 { 10.9.9.%d . 10.9.9.9 };", i);
	assert_mended(w, f, command.data, false);
	(void)nft_foreign_close(f);
}

/*
 * Somebody, or another version of us, left a table of our name whose sets and chains are of
 * another shape, and the agent has not read it: the refusal leads it to read and to mend.
 */
static void a_table_of_other_shapes_is_replaced(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *before = NULL, *after = NULL;
	struct nft_stats stats;

	lab_run("nft 'add table inet manx; add set inet manx sources4 { type ipv4_addr; }; "
		"add element inet manx sources4 { 10.9.9.9 }; "
		"add map inet manx wide { type ipv4_addr : ipv6_addr . ipv6_addr . ipv6_addr; }; "
		"add element inet manx wide { 10.9.9.9 : fd00::1 . fd00::2 . fd00::3 }; "
		"add map inet manx ingress4 { type ipv4_addr : mark; }; "
		"add chain inet manx forward { type filter hook output priority 5; policy drop; }; "
		"add chain inet manx mine; add rule inet manx mine ip saddr @sources4 accept; "
		"add rule inet manx forward jump mine; "
		"add table inet other; add chain inet other mine; add rule inet other mine drop'");
	before = lab_output("nft list table inet other");
	everything(w);
	if (nft_apply_all(w->nft, w->t, &w->err) != 0)
		fail_msg("%s", w->err.msg);
	stats = *nft_stats(w->nft);
	assert_int_equal(stats.errors, 2);
	assert_int_equal(stats.resyncs, 2);
	assert_kernel_is_read_back(w);
	assert_false(lab_shows("chain mine", "nft list table inet manx"));
	assert_false(lab_shows("map wide", "nft list table inet manx"));
	after = lab_output("nft list table inet other");
	assert_string_equal(before, after);
}

static void not_without_root(void **state _unused_)
{
	skip();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest none[] = {cmocka_unit_test(not_without_root)};
	const struct CMUnitTest tests[] = {
		TEST(the_kernel_takes_it_and_nft_lists_it_as_rendered),
		TEST(a_restarted_agent_sends_nothing),
		TEST(the_kernel_takes_every_change_at_once),
		TEST(nothing_stays_behind),
		TEST(what_somebody_empties_is_mended),
		TEST(what_somebody_changes_is_mended),
		TEST(many_elements_are_their_set),
		TEST(a_table_of_other_shapes_is_replaced),
	};

	if (!lab_is_root())
		return cmocka_run_group_tests(none, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
