// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_kept_kernel.c - an agent that starts without its source, against the real nf_tables; needs
 * root.
 *
 * One agent brings a pod that a policy isolates and one that is open into the kernel and goes;
 * somebody damages the table; the next agent knows the attachments and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/datapath.h"
#include "datapath/nft/apply.h"
#include "decoding.h"
#include "kernel_lab.h"

static const char cluster[] =
	"{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: shut, namespace: shop, labels: {app: db}},\n"
	" spec: {nodeName: me}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: open, namespace: shop},\n"
	" spec: {nodeName: me}}\n"
	"---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,\n"
	" metadata: {name: db, namespace: shop},\n"
	" spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress],\n"
	"  ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 80}]}],\n"
	"  egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}}\n";

#define SHUT "10.1.0.5"
#define OPEN "10.1.0.6"

struct world {
	struct nft_socket *nft;
	struct datapath *datapath;
	struct nft_table *t; /* of @datapath */
	struct decoded objects;
	struct attachment *pods[2];
	struct err err;
	char program[_DIRECTION_MAX][NFT_NAME_MAX]; /* of the pod that is shut */
};

static struct attachment *attachment(unsigned char n, const char *pod)
{
	struct attachment *a = xcalloc(1, sizeof(*a));

	a->id = xasprintf("container-%u", n);
	a->ifname = xstrdup("eth0");
	a->netns = xstrdup("");
	a->ns = xstrdup("shop");
	a->pod = xstrdup(pod);
	a->uid = xstrdup("");
	a->host_ifname = xasprintf("mx%012u", n);
	a->mac = (struct mac){{2, 0, 0, 0, 0, n}};
	a->n_addrs = 1;
	a->addrs[0] = (struct addr){AF_INET, {10, 1, 0, n}};
	return a;
}

static void must_apply(struct world *w)
{
	if (nft_apply_all(w->nft, w->t, &w->err) != 0)
		fail_msg("%s", w->err.msg);
}

static void start_agent(struct world *w)
{
	w->datapath = datapath_new("me", NULL, NULL);
	w->t = w->datapath->table;
	for (size_t i = 0; i < ARRAY_SIZE(w->pods); i++)
		datapath_attach(w->datapath, w->pods[i]);
}

/* From the Node object: a range around the pods, which is one element of a set of ranges. */
static void tell_ranges(struct world *w)
{
	static const struct prefix range = {{AF_INET, {10, 1, 0, 0}}, 24};

	localpods_ranges(&w->datapath->pods, &range, 1);
}

static void tell(struct world *w, bool there)
{
	vec_foreach (o, &w->objects.o)
		datapath_object(w->datapath, there ? NULL : *o, there ? *o : NULL);
	datapath_settle(w->datapath);
}

static void stop_agent(struct world *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(w->pods); i++)
		datapath_detach(w->datapath, w->pods[i]->id, w->pods[i]->ifname);
	datapath_settle(w->datapath);
	w->datapath = datapath_free(w->datapath);
}

/* As agent/hold.c. */
static void hold(struct world *w)
{
	datapath_settle(w->datapath);
	table_hold(w->t, true);
	policy_knowledge(w->datapath->policy, POLICY_UNKNOWN);
	assert_int_equal(nft_read(w->nft, w->t, &w->err), 0);
	policy_knowledge(w->datapath->policy, POLICY_AS_LEFT);
	must_apply(w);
	assert_int_equal(table_pending(w->t), 0);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct policy_pod_info info;

	lab_enter_new();
	assert_int_equal(nft_open(&w->nft, &w->err), 0);
	w->objects = decode(cluster);
	assert_int_equal(w->objects.r, 0);
	w->pods[0] = attachment(5, "shut");
	w->pods[1] = attachment(6, "open");
	start_agent(w);
	tell_ranges(w);
	tell(w, true);
	must_apply(w);
	assert_true(policy_pod_info(w->datapath->policy, w->pods[0]->id, "eth0", &info));
	for (int d = 0; d < _DIRECTION_MAX; d++)
		(void)snprintf(w->program[d], sizeof(w->program[d]), "%s", info.program[d]);
	tell(w, false);
	stop_agent(w);
	start_agent(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	stop_agent(w);
	(void)nft_close(w->nft);
	for (size_t i = 0; i < ARRAY_SIZE(w->pods); i++)
		(void)attachment_free(w->pods[i]);
	decoded_done(&w->objects);
	free(w);
	return 0;
}

/* --- what the kernel has -----------------------------------------------------------------------
 */

/* Where the packets of an address go: a chain, or "open". */
static void assert_goes_to(const char *map, const char *addr, const char *chain)
{
	_cleanup_(freep) char *listing = lab_output("nft list map inet manx %s", map);
	_cleanup_(freep) char *key = xasprintf("%s comment", addr);
	const char *at = strstr(listing, key);

	if (!at && streq(chain, "open"))
		return;
	if (!at || !str_starts(strstr(at, " : jump ") ?: "", " : jump ") ||
	    !str_starts(strstr(at, " : jump ") + strlen(" : jump "), chain))
		fail_msg("%s of %s is not %s:\n%s", map, addr, chain, listing);
}

static void assert_chain_drops(const char *chain)
{
	_cleanup_(freep) char *listing = lab_output("nft list chain inet manx %s", chain);

	if (!strstr(listing, "drop comment \"no policy allows it\"") || strstr(listing, "accept") ||
	    strstr(listing, "return"))
		fail_msg("%s", listing);
}

static void assert_base_is_whole(void)
{
	_cleanup_(freep) char *from = lab_output("nft list chain inet manx from_pod");
	_cleanup_(freep) char *forward = lab_output("nft list chain inet manx forward");
	_cleanup_(freep) char *policy = lab_output("nft list chain inet manx pol_forward");
	_cleanup_(freep) char *pre_raw = lab_output("nft list chain inet manx pre_raw");
	_cleanup_(freep) char *sources = lab_output("nft list set inet manx sources4");

	assert_non_null(strstr(from, "@sources4"));
	assert_non_null(strstr(from, "drop comment \"not the pod's own address\""));
	assert_non_null(strstr(forward, "jump pol_forward"));
	assert_non_null(strstr(policy, "vmap @ingress4"));
	assert_non_null(strstr(policy, "vmap @egress4"));
	assert_non_null(strstr(pre_raw, "goto from_pod"));
	assert_non_null(strstr(sources, SHUT));
	assert_non_null(strstr(sources, OPEN));
	assert_true(lab_shows("10.1.0.", "nft list set inet manx local_pods4"));
}

/* Then the source is known: the same as for an agent that knew it from the beginning. */
static void assert_all_is_right_once_it_is_known(struct world *w)
{
	tell_ranges(w);
	tell(w, true);
	table_hold(w->t, false);
	policy_knowledge(w->datapath->policy, POLICY_KNOWN);
	datapath_settle(w->datapath);
	assert_int_equal(nft_read(w->nft, w->t, &w->err), 0);
	must_apply(w);
	assert_int_equal(nft_read(w->nft, w->t, &w->err), 0);
	assert_int_equal(table_pending(w->t), 0);
	assert_goes_to("ingress4", SHUT, "in_");
	assert_goes_to("egress4", SHUT, "out_");
	assert_goes_to("ingress4", OPEN, "open");
	tell(w, false);
}

/* --- tests -------------------------------------------------------------------------------------
 */

static void a_whole_table_is_not_touched(void **state)
{
	struct world *w = *state;
	uint64_t before = nft_stats(w->nft)->operations;

	hold(w);
	assert_int_equal(nft_stats(w->nft)->operations, before);
	/* Pods arrive one by one; nothing of it is in force yet. */
	datapath_object(w->datapath, NULL, w->objects.o.v[1]);
	datapath_settle(w->datapath);
	hold(w);
	assert_int_equal(nft_stats(w->nft)->operations, before);
	datapath_object(w->datapath, w->objects.o.v[1], NULL);
	datapath_settle(w->datapath);
	assert_all_is_right_once_it_is_known(w);
	/* What stays is a verdict and a program with another text at most: nothing here. */
	assert_int_equal(nft_stats(w->nft)->operations, before);
}

/* struct damage - @shut, @open: where packets to the pods go then; NULL: to the pod's own program
 */
struct damage {
	const char *command; /* %1: program for ingress, %2: for egress */
	const char *shut, *open;
};

static const struct damage damages[] = {
	{"flush ruleset", "unknown_pod", "unknown_pod"},
	{"delete table inet manx", "unknown_pod", "unknown_pod"},
	{"flush map inet manx ingress4", "unknown_pod", "open"},
	{"delete element inet manx ingress4 { " SHUT " }", "unknown_pod", "open"},
	{"delete element inet manx ingress4 { " SHUT " }; "
	 "add element inet manx ingress4 { " SHUT " : accept }",
	 "unknown_pod", "open"},
	{"flush set inet manx ingress_open4", NULL, "unknown_pod"},
	{"flush map inet manx ingress4; flush set inet manx ingress_open4", "unknown_pod",
	 "unknown_pod"},
	{"flush set inet manx sources4; flush set inet manx self4", NULL, "open"},
	{"flush chain inet manx from_pod", NULL, "open"},
	{"flush chain inet manx pre_raw; delete chain inet manx pre_raw", NULL, "open"},
	{"flush chain inet manx forward", NULL, "open"},
	{"flush chain inet manx forward; delete chain inet manx forward", NULL, "open"},
	{"flush chain inet manx pol_forward", NULL, "open"},
	{"flush chain inet manx forward; flush chain inet manx pol_forward; "
	 "delete chain inet manx pol_forward",
	 NULL, "open"},
	{"flush set inet manx local_pods4", NULL, "open"},
	{"insert rule inet manx from_pod accept", NULL, "open"},
	{"insert rule inet manx forward accept", NULL, "open"},
	{"flush chain inet manx pre_raw; delete chain inet manx pre_raw; add chain inet manx "
	 "pre_raw { type filter hook prerouting priority -10; }",
	 NULL, "open"},
	/* A table of a version that kept no record. */
	{"delete set inet manx ingress_open4; delete set inet manx ingress_open6", NULL, "open"},
	/* A set of another shape. */
	{"flush chain inet manx hostports; delete map inet manx hostports4; add map inet manx "
	 "hostports4 { type inet_service : ipv4_addr; }",
	 NULL, "open"},
	/* The verdict map itself, with all that names it. */
	{"flush chain inet manx pol_forward; flush chain inet manx pol_input; "
	 "delete map inet manx ingress4; delete map inet manx egress4",
	 "unknown_pod", "open"},
};

static void what_is_missing_is_isolated(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		const struct damage *d = &damages[i];

		print_message("%s\n", d->command);
		lab_run("nft '%s'", d->command);
		hold(w);
		assert_base_is_whole();
		assert_goes_to("ingress4", SHUT, d->shut ?: w->program[INGRESS]);
		assert_goes_to("ingress4", OPEN, d->open);
		tear_down(state);
		set_up(state);
		w = *state;
	}
}

static void the_rest_follows_when_the_source_is_known(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		print_message("%s\n", damages[i].command);
		lab_run("nft '%s'", damages[i].command);
		hold(w);
		assert_all_is_right_once_it_is_known(w);
		stop_agent(w);
		start_agent(w);
	}
}

/* Rules that allow are no danger when they are gone; the last one is, and what others add. */
static void a_program_that_is_not_whole_is_closed(void **state)
{
	static const char *const commands[] = {
		"nft flush chain inet manx $c",
		"nft insert rule inet manx $c accept",
		"nft add rule inet manx $c accept",
		("nft -a list chain inet manx $c | sed -n \"s/.*no policy.*# handle "
		 "/delete rule inet manx $c handle /p\" | nft -f -"),
	};
	struct world *w;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		for (int c = 0; c < 3; c++) {
			char chain[NFT_NAME_MAX];

			w = *state;
			(void)snprintf(chain, sizeof(chain), "%s%s", w->program[c & 1],
				       c == 2 ? "_0" : "");
			lab_run("c=%s; %s", chain, commands[i]);
			hold(w);
			assert_goes_to("ingress4", SHUT, w->program[INGRESS]);
			assert_chain_drops(chain);
			assert_all_is_right_once_it_is_known(w);
			tear_down(state);
			set_up(state);
		}
	}
}

static void needs_root(void **state _unused_)
{
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_table_is_not_touched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_missing_is_isolated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_rest_follows_when_the_source_is_known, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_program_that_is_not_whole_is_closed, set_up,
						tear_down),
	};

	const struct CMUnitTest none[] = {cmocka_unit_test(needs_root)};

	if (!lab_is_root())
		return cmocka_run_group_tests(none, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
