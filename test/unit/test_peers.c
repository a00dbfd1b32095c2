// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_peers.c - peer sets: what a change costs the table, operation by operation; and random use
 * against a walk over all pods.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "test/unit/peer_world.h"

enum { SETS = 6 };

#define WEB	" app=web of ns shop\n"
#define DB	" app=db of ns shop\n"
#define ALL	" all of ns shop\n"
#define NEW_WEB "+set4" WEB "+set6" WEB

/* A set is filled with the pods that are there, and kept with those that come. */
static void members(void **state _unused_)
{
	struct peer_set *web;
	struct world w;

	setup(&w);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1 fd00::1", "");
	put_pod(&w, 1, "shop", "app=db", "10.0.0.2", "");
	put_pod(&w, 2, "bank", "app=web", "10.0.0.3", "");
	expect(&w, "");
	web = USE(&w, SHOP("app=web"));
	expect(&w, "+10.0.0.1" WEB "+fd00::1" WEB NEW_WEB);
	put_pod(&w, 3, "shop", "app=web", "fd00::4", "");
	put_pod(&w, 4, "shop", "app=web", "", ""); /* no address yet */
	put_pod(&w, 5, "bank", "app=web", "10.0.0.5", "");
	expect(&w, "+fd00::4" WEB);
	remove_pod(&w, 0);
	expect(&w, "-10.0.0.1" WEB "-fd00::1" WEB);
	remove_pod(&w, 4);
	remove_pod(&w, 2);
	expect(&w, "");
	peers_set_put(w.p, web);
	teardown(&w);
}

static void equal_definitions_share(void **state _unused_)
{
	struct peer_set *one, *two, *other;
	char name[NFT_NAME_MAX];
	struct world w;

	setup(&w);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	one = USE(&w, SHOP("app=web"), SHOP("app=db"));
	commit(&w);
	two = USE(&w, SHOP("app=db"), SHOP("app=web"));
	assert_ptr_equal(one, two);
	expect(&w, "");
	other = USE(&w, SHOP("app=web"));
	assert_ptr_not_equal(one, other);
	assert_int_equal(peers_sets(w.p), 2);
	expect(&w, "+10.0.0.1" WEB NEW_WEB);
	(void)snprintf(name, sizeof(name), "%s", peer_set_name(one, AF_INET));
	peers_set_put(w.p, one);
	peers_set_put(w.p, other);
	commit(&w);
	assert_int_equal(peers_sets(w.p), 1);
	assert_non_null(table_find_set(w.t, name));
	peers_set_put(w.p, two);
	assert_null(table_find_set(w.t, name));
	two = USE(&w, SHOP("app=db"), SHOP("app=web")); /* and the definition is the name */
	assert_string_equal(peer_set_name(two, AF_INET), name);
	peers_set_put(w.p, two);
	peers_set_put(w.p, NULL);
	teardown(&w);
}

/* Its elements go with the set; pods forget that they were in it. */
static void the_last_use_drops(void **state _unused_)
{
	struct peer_set *web, *all;
	struct world w;

	setup(&w);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	web = USE(&w, SHOP("app=web"));
	all = USE(&w, SHOP(""));
	commit(&w);
	assert_int_equal(w.pods[0].peer.n_member, 2);
	peers_set_put(w.p, web);
	assert_false(peers_fill(w.p, SIZE_MAX));
	assert_int_equal(w.pods[0].peer.n_member, 1);
	expect(&w, "-set4" WEB "-set6" WEB);
	put_pod(&w, 0, "shop", "app=db", "10.0.0.1", "");
	expect(&w, "");
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	web = USE(&w, SHOP("app=web"));
	expect(&w, "+10.0.0.1" WEB NEW_WEB);
	peers_set_put(w.p, web);
	commit(&w);
	remove_pod(&w, 0);
	expect(&w, "-10.0.0.1" ALL);
	peers_set_put(w.p, all);
	teardown(&w);
}

/* --- changes of pods ---------------------------------------------------------------------------
 */

static void labels_change_only_the_difference(void **state _unused_)
{
	struct peer_set *web, *db, *all;
	struct world w;

	setup(&w);
	web = USE(&w, SHOP("app=web"));
	db = USE(&w, SHOP("app=db"));
	all = USE(&w, SHOP(""));
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	put_pod(&w, 1, "shop", "app=web", "10.0.0.2", "");
	commit(&w);
	put_pod(&w, 0, "shop", "app=db", "10.0.0.1", "");
	expect(&w, "+10.0.0.1" DB "-10.0.0.1" WEB);
	put_pod(&w, 0, "shop", "app=db tier=1", "10.0.0.1", "");
	expect(&w, "");
	put_pod(&w, 0, "shop", "", "10.0.0.1", "");
	expect(&w, "-10.0.0.1" DB);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	expect(&w, "+10.0.0.1" WEB);
	peers_set_put(w.p, web);
	peers_set_put(w.p, db);
	peers_set_put(w.p, all);
	teardown(&w);
}

static void addresses(void **state _unused_)
{
	struct peer_set *web, *all;
	struct world w;

	setup(&w);
	web = USE(&w, SHOP("app=web"));
	all = USE(&w, SHOP(""));
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1 fd00::1", "");
	commit(&w);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.9 fd00::1", "");
	expect(&w, "+10.0.0.9" ALL "+10.0.0.9" WEB "-10.0.0.1" ALL "-10.0.0.1" WEB);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.9", "");
	expect(&w, "-fd00::1" ALL "-fd00::1" WEB);
	put_pod(&w, 0, "shop", "app=db", "fd00::9", ""); /* labels at the same time */
	expect(&w, "+fd00::9" ALL "-10.0.0.9" ALL "-10.0.0.9" WEB);
	put_pod(&w, 0, "shop", "app=web", "", "");
	expect(&w, "-fd00::9" ALL);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	expect(&w, "+10.0.0.1" ALL "+10.0.0.1" WEB);
	assert_true(str_starts(peer_set_name(web, AF_INET), "pods4_"));
	assert_true(str_starts(peer_set_name(web, AF_INET6), "pods6_"));
	peers_set_put(w.p, web);
	peers_set_put(w.p, all);
	teardown(&w);
}

/*
 * Two objects claim an address: of a node that is gone and of the one that has its range now, say.
 * Neither may do what the other one may, until one of them goes.
 */
static void an_address_of_two_pods(void **state _unused_)
{
	struct peer_set *web;
	struct world w;

	setup(&w);
	web = USE(&w, SHOP("app=web"));
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	commit(&w);
	put_pod(&w, 1, "shop", "app=db", "10.0.0.1", "");
	expect(&w, "-10.0.0.1" WEB);
	remove_pod(&w, 0);
	expect(&w, "");
	put_pod(&w, 1, "shop", "app=web", "10.0.0.1", "");
	expect(&w, "+10.0.0.1" WEB);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	put_pod(&w, 1, "shop", "app=web", "10.0.0.2", "");
	expect(&w, "+10.0.0.2" WEB);
	put_pod(&w, 2, "shop", "app=web", "10.0.0.1", "");
	put_pod(&w, 3, "shop", "app=web", "10.0.0.1", "");
	expect(&w, "-10.0.0.1" WEB);
	remove_pod(&w, 2);
	expect(&w, "");
	remove_pod(&w, 0);
	expect(&w, "+10.0.0.1" WEB);
	put_pod(&w, 1, "shop", "app=db", "10.0.0.2", "");
	expect(&w, "-10.0.0.2" WEB);
	peers_set_put(w.p, web);
	teardown(&w);
}

static void count_shared(void *arg, const struct addr *a _unused_, const struct pod *pod,
			 const struct pod *more)
{
	assert_ptr_not_equal(pod, more);
	++*(int *)arg;
}

/* What is attached to this node is known for sure, whatever objects claim. */
static void an_address_of_a_local_pod(void **state _unused_)
{
	struct peer_set *web;
	struct world w;
	int shared = 0;

	setup(&w);
	web = USE(&w, SHOP("app=web"));
	w.pods[1].peer.local = true;
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	commit(&w);
	put_pod(&w, 1, "shop", "app=db", "10.0.0.1", "");
	expect(&w, "-10.0.0.1" WEB);
	peers_each_shared(w.p, count_shared, &shared);
	assert_int_equal(shared, 1);
	put_pod(&w, 1, "shop", "app=web", "10.0.0.1", "");
	expect(&w, "+10.0.0.1" WEB);
	remove_pod(&w, 0);
	expect(&w, "");
	peers_each_shared(w.p, count_shared, &shared);
	assert_int_equal(shared, 1);
	peers_set_put(w.p, web);
	teardown(&w);
}

#define BOTH " app=web of ns shop; tier=1 of ns shop\n"

/* It stands in the set once, as long as one of the terms holds. */
static void two_terms_of_one_set(void **state _unused_)
{
	struct peer_set *both;
	struct world w;

	setup(&w);
	put_pod(&w, 0, "shop", "app=web tier=1", "10.0.0.1", "");
	both = USE(&w, SHOP("tier=1"), SHOP("app=web"));
	assert_int_equal(w.pods[0].peer.n_member, 1);
	expect(&w, "+10.0.0.1" BOTH "+set4" BOTH "+set6" BOTH);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	expect(&w, "");
	put_pod(&w, 0, "shop", "tier=1", "10.0.0.1", "");
	expect(&w, "");
	put_pod(&w, 1, "shop", "app=web tier=1", "10.0.0.2", "");
	expect(&w, "+10.0.0.2" BOTH);
	put_pod(&w, 0, "shop", "tier=2", "10.0.0.1", "");
	remove_pod(&w, 1);
	expect(&w, "-10.0.0.1" BOTH "-10.0.0.2" BOTH);
	peers_set_put(w.p, both);
	teardown(&w);
}

/* --- named ports -------------------------------------------------------------------------------
 */

#define HTTP " app=web of ns shop at TCP:http\n"

static void named_ports(void **state _unused_)
{
	struct peer_set *http;
	struct world w;

	setup(&w);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1 fd00::1", "tcp:http=80");
	put_pod(&w, 1, "shop", "app=web", "10.0.0.2", "tcp:www=80 udp:http=80");
	http = USE(&w, AT("app=web", "tcp:http"));
	expect(&w,
	       "+10.0.0.1 . tcp . 80" HTTP "+fd00::1 . tcp . 80" HTTP "+set4" HTTP "+set6" HTTP);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1 fd00::1", "tcp:http=8080");
	expect(&w, "+10.0.0.1 . tcp . 8080" HTTP "+fd00::1 . tcp . 8080" HTTP
		   "-10.0.0.1 . tcp . 80" HTTP "-fd00::1 . tcp . 80" HTTP);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "tcp:other=1");
	expect(&w, "-10.0.0.1 . tcp . 8080" HTTP "-fd00::1 . tcp . 8080" HTTP);
	put_pod(&w, 1, "shop", "app=web", "10.0.0.2", "tcp:http=81");
	expect(&w, "+10.0.0.2 . tcp . 81" HTTP);
	assert_true(str_starts(peer_set_name(http, AF_INET), "ports4_"));
	assert_true(str_starts(peer_set_name(http, AF_INET6), "ports6_"));
	peers_set_put(w.p, http);
	assert_false(peers_fill(w.p, SIZE_MAX));
	assert_int_equal(w.pods[1].peer.n_member, 0);
	teardown(&w);
}

#define EITHER " app=web of ns shop at TCP:http; app=web of ns shop at TCP:www\n"

/* Two names of one number are one element, of two numbers two. */
static void two_names_of_one_set(void **state _unused_)
{
	struct peer_set *either;
	struct world w;

	setup(&w);
	either = USE(&w, AT("app=web", "tcp:http"), AT("app=web", "tcp:www"));
	commit(&w);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "tcp:http=80 tcp:www=80");
	assert_int_equal(w.pods[0].peer.n_member, 1);
	expect(&w, "+10.0.0.1 . tcp . 80" EITHER);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "tcp:http=80 tcp:www=81");
	expect(&w, "+10.0.0.1 . tcp . 81" EITHER);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "tcp:www=81");
	expect(&w, "-10.0.0.1 . tcp . 80" EITHER);
	peers_set_put(w.p, either);
	teardown(&w);
}

/* --- namespaces --------------------------------------------------------------------------------
 */

#define X " app=web of ns(team=x)\n"

static void labels_of_a_namespace(void **state _unused_)
{
	struct peer_set *x, *any;
	const char *shop = intern("shop");
	struct world w;

	setup(&w);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	put_pod(&w, 1, "shop", "app=db", "10.0.0.2", "");
	put_pod(&w, 2, "bank", "app=web", "10.0.0.3", "");
	put_ns(&w, "bank", "team=x");
	x = USE(&w, ((struct want){NULL, "team=x", "app=web", NULL}));
	any = USE(&w, ((struct want){NULL, NULL, "app=web", NULL})); /* whatever its namespace is */
	commit(&w);
	assert_null(peers_ns_labels(w.p, shop));
	put_ns(&w, "shop", "team=x");
	assert_ptr_equal(peers_ns_labels(w.p, shop)->v, w.namespaces[1].labels.v);
	expect(&w, "+10.0.0.1" X);
	put_ns(&w, "shop", "env=dev team=x");
	expect(&w, "");
	put_ns(&w, "shop", "team=y");
	expect(&w, "-10.0.0.1" X);
	put_ns(&w, "bank", NULL);
	expect(&w, "-10.0.0.3" X);
	put_ns(&w, "bank", NULL); /* and again: nothing to forget */
	put_ns(&w, "bank", "team=x");
	expect(&w, "+10.0.0.3" X);
	peers_set_put(w.p, x);
	peers_set_put(w.p, any);
	intern_put(shop);
	teardown(&w);
}

static void on_need(void *arg, const char *ns, bool needed)
{
	buf_printf(arg, "%c%s ", needed ? '+' : '-', ns ? ns : "all");
}

/* Of which namespaces pods are needed follows the sets in use and the labels of namespaces. */
static void needed_namespaces(void **state _unused_)
{
	_cleanup_(buf_done) struct buf told = {0};
	struct peer_set *web, *x;
	struct world w;

	setup(&w);
	(void)peers_free(w.p);
	w.p = peers_new(w.t, on_need, &told, &w.touched);
	web = USE(&w, SHOP("app=web"));
	assert_string_equal(told.data, "+shop ");
	put_ns(&w, "bank", "team=x");
	x = USE(&w, ((struct want){NULL, "team=x", "app=web", NULL}));
	put_ns(&w, "bank", "team=y");
	put_ns(&w, "bank", "team=x");
	put_ns(&w, "bank", NULL);
	put_ns(&w, "bank", "team=x");
	peers_set_put(w.p, web);
	peers_set_put(w.p, x);
	assert_string_equal(told.data, "+shop +bank -bank +bank -bank +bank -shop -bank ");
	teardown(&w);
}

/* --- names and comments of sets ----------------------------------------------------------------
 */

static void a_stranger_has_the_name(void **state _unused_)
{
	const struct nft_set_def *def;
	char name[NFT_NAME_MAX];
	struct nft_set *stranger;
	struct peer_set *web;
	struct world w;

	setup(&w);
	put_pod(&w, 0, "shop", "app=web", "10.0.0.1", "");
	web = USE(&w, SHOP("app=web"));
	(void)snprintf(name, sizeof(name), "%s", peer_set_name(web, AF_INET));
	peers_set_put(w.p, web);
	stranger = table_want_set(w.t, &(struct nft_set_def){.name = name, .key = {NFT_TYPE_IPV4}});
	web = USE(&w, SHOP("app=web"));
	assert_string_not_equal(peer_set_name(web, AF_INET), name);
	assert_int_equal(set_count(stranger), 0);
	assert_int_equal(set_count(table_find_set(w.t, peer_set_name(web, AF_INET))), 1);
	def = table_set_def(w.t, peer_set_name(web, AF_INET));
	assert_string_equal(def->comment, "pods app=web of ns shop");
	peers_set_put(w.p, web);
	assert_ptr_equal(table_find_set(w.t, name), stranger);
	teardown(&w);
}

/* A comment of @len bytes, if it is not too long. */
static const char *comment_of(struct world *w, size_t len, struct peer_set **ret)
{
	char ns[NFT_COMMENT_MAX + 1] = "";
	struct want want = {ns, NULL, "", NULL};

	memset(ns, 'n', len - strlen("pods all of ns "));
	*ret = use(w, &want, 1);
	return table_set_def(w->t, peer_set_name(*ret, AF_INET))->comment;
}

static void a_long_definition_is_cut(void **state _unused_)
{
	struct peer_set *longest, *longer;
	const char *comment;
	struct world w;

	setup(&w);
	comment = comment_of(&w, NFT_COMMENT_MAX - 1, &longest);
	assert_int_equal(strlen(comment), NFT_COMMENT_MAX - 1);
	assert_string_equal(comment + NFT_COMMENT_MAX - 5, "nnnn");
	comment = comment_of(&w, NFT_COMMENT_MAX, &longer);
	assert_int_equal(strlen(comment), NFT_COMMENT_MAX - 1);
	assert_string_equal(comment + NFT_COMMENT_MAX - 5, "n...");
	peers_set_put(w.p, longest);
	peers_set_put(w.p, longer);
	teardown(&w);
}

/* --- random use --------------------------------------------------------------------------------
 */

/* struct slot - a set in use; @port: of all its terms, or NULL */
struct slot {
	struct peer_set *set;
	size_t n;
	struct sample_match terms[TERMS];
	const char *port;
};

static const char *const random_ns[NAMESPACES] = {"n1", "n2", "n3"};

static void change_pod(struct world *w, unsigned int *seed)
{
	static const char *const ports[] = {"", "tcp:http=80", "tcp:http=81", "udp:http=80"};
	int i = rand_r(seed) % PODS, at = rand_r(seed) % PODS, families = rand_r(seed) % 4;
	char labels[SAMPLE_TEXT], addrs[SAMPLE_TEXT];

	if (w->pods[i].object && rand_r(seed) % 4 == 0) {
		remove_pod(w, i);
		return;
	}
	(void)sprintf(addrs, "10.0.0.%d fd00::%d", at, at);
	if (families == 1) /* IPv4 alone; 2: IPv6 alone */
		*strchr(addrs, ' ') = '\0';
	put_pod(w, i, w->pods[i].object ? w->pods[i].object->o.ns : random_ns[rand_r(seed) % 3],
		random_labels(seed, labels), families == 2 ? strchr(addrs, ' ') : addrs,
		ports[rand_r(seed) % 4]);
}

static void fill_slot(struct world *w, struct slot *s, unsigned int *seed)
{
	char pods[TERMS][SAMPLE_TEXT], namespaces[TERMS][SAMPLE_TEXT];
	struct want wants[TERMS];

	s->n = (size_t)rand_r(seed) % TERMS + 1;
	s->port = rand_r(seed) % 2 ? "tcp:http" : NULL;
	for (size_t i = 0; i < s->n; i++) {
		int where = rand_r(seed) % 6;

		wants[i].ns = where < 3 ? random_ns[where] : NULL;
		wants[i].namespaces = where > 3 ? random_selector(seed, namespaces[i]) : NULL;
		wants[i].pods = random_selector(seed, pods[i]);
		wants[i].port = s->port;
		sample_match_init(&s->terms[i], wants[i].ns, wants[i].namespaces, wants[i].pods);
	}
	s->set = use_unfilled(w, wants, s->n);
}

static void empty_slot(struct world *w, struct slot *s)
{
	peers_set_put(w->p, s->set);
	for (size_t i = 0; s->set && i < s->n; i++)
		sample_match_done(&s->terms[i]);
	s->set = NULL;
}

/* struct keys - elements that must be there */
struct keys {
	VEC(struct nft_elem) e;
	const char *port; /* of the set */
};

static void add_key(struct keys *keys, const struct pod *pod, const struct addr *a)
{
	uint8_t protocol = PROTO_TCP;
	struct nft_elem e = {0};
	size_t len = 0;

	nft_key_put(e.key, &len, a->family == AF_INET ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6, a->b,
		    addr_len(a));
	if (keys->port) {
		uint16_t port = htons(pod->n_ports ? pod->ports[0].port : 0);

		if (!port || pod->ports[0].protocol != PROTO_TCP)
			return;
		nft_key_put(e.key, &len, NFT_TYPE_PROTO, &protocol, 1);
		nft_key_put(e.key, &len, NFT_TYPE_SERVICE, &port, sizeof(port));
	}
	vec_foreach (old, &keys->e)
		if (memcmp(old->key, e.key, sizeof(e.key)) == 0)
			return;
	vec_push(&keys->e, e);
}

static bool is_member(const struct world *w, const struct slot *s, const struct pod *pod)
{
	const struct match_subject subject = {pod->o.ns, &pod->labels,
					      peers_ns_labels(w->p, pod->o.ns)};

	for (size_t i = 0; i < s->n; i++)
		if (sample_match_holds(&s->terms[i], &subject))
			return true;
	return false;
}

/* Of how many pods? */
static int claims(const struct world *w, const struct addr *a)
{
	int n = 0;

	for (int i = 0; i < PODS; i++)
		for (uint32_t j = 0; j < w->pods[i].peer.n_addrs; j++)
			n += addr_eq(&w->pods[i].peer.addrs[j], a);
	return n;
}

static void compare(const struct world *w, const struct slot *s, uint8_t family)
{
	const char *name = peer_set_name(s->set, family);
	struct keys keys = {.port = s->port};
	struct nft_elem e;

	for (int i = 0; i < PODS; i++) {
		const struct peer_pod *pp = &w->pods[i].peer;

		for (uint32_t j = 0; pp->pod && j < pp->n_addrs; j++)
			if (pp->addrs[j].family == family && is_member(w, s, pp->pod) &&
			    (claims(w, &pp->addrs[j]) == 1))
				add_key(&keys, pp->pod, &pp->addrs[j]);
	}
	assert_int_equal(set_count(table_find_set(w->t, name)), keys.e.n);
	vec_foreach (k, &keys.e)
		assert_true(table_lookup(w->t, name, k->key, &e));
	vec_done(&keys.e);
}

static void random_step(struct world *w, struct slot *slots, unsigned int *seed)
{
	struct slot *s = &slots[rand_r(seed) % SETS];
	char labels[SAMPLE_TEXT];
	int what = rand_r(seed) % 16;

	if (what > 2)
		change_pod(w, seed);
	else if (what > 1)
		change_ns(w, random_ns[rand_r(seed) % NAMESPACES],
			  rand_r(seed) % 4 ? random_labels(seed, labels) : NULL);
	else if (s->set)
		empty_slot(w, s);
	else
		fill_slot(w, s, seed);
}

static void random_use(void **state _unused_)
{
	struct slot slots[SETS] = {0};
	unsigned int seed = 23;
	struct world w;

	setup(&w);
	for (int step = 0; step < 5000; step++) {
		random_step(&w, slots, &seed);
		if (peers_fill(w.p, (size_t)rand_r(&seed) % 30))
			continue;
		for (int i = 0; i < SETS; i++) {
			if (!slots[i].set)
				continue;
			compare(&w, &slots[i], AF_INET);
			compare(&w, &slots[i], AF_INET6);
		}
		if (step % 8 == 0)
			commit(&w);
	}
	for (int i = 0; i < SETS; i++)
		empty_slot(&w, &slots[i]);
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members),
		cmocka_unit_test(equal_definitions_share),
		cmocka_unit_test(the_last_use_drops),
		cmocka_unit_test(labels_change_only_the_difference),
		cmocka_unit_test(addresses),
		cmocka_unit_test(an_address_of_two_pods),
		cmocka_unit_test(an_address_of_a_local_pod),
		cmocka_unit_test(two_terms_of_one_set),
		cmocka_unit_test(named_ports),
		cmocka_unit_test(two_names_of_one_set),
		cmocka_unit_test(labels_of_a_namespace),
		cmocka_unit_test(needed_namespaces),
		cmocka_unit_test(a_stranger_has_the_name),
		cmocka_unit_test(a_long_definition_is_cut),
		cmocka_unit_test(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
