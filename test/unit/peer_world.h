/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer_world.h - peer sets, pods and namespaces in words, and what a change tells the kernel.
 * Include after <cmocka.h>.
 */
#pragma once

#include "datapath/nft/render.h"
#include "datapath/policy/peers.h"
#include "test/unit/sample_pod.h"

enum { PODS = 20, NAMESPACES = 3, TERMS = 2 };

/* struct known_pod - a pod, or none */
struct known_pod {
	struct peer_pod peer;
	struct pod *object;
};

struct known_ns {
	const char *ns;
	struct labels labels;
};

struct world {
	struct nft_table *t;
	struct peers *p;
	struct touched touched; /* addresses that left a set */
	struct known_pod pods[PODS];
	struct known_ns namespaces[NAMESPACES];
};

/* One operation as text: "+10.0.0.1 app=web of ns shop", "-set4 app=web of ns shop". */
static inline char *op_text(const struct nft_op *op)
{
	struct buf b = {0};

	assert_true(op->what == NFT_OP_ELEM || op->what == NFT_OP_SET);
	buf_putc(&b, op->verb == NFT_ADD ? '+' : '-');
	if (op->what == NFT_OP_ELEM)
		render_elem(op->set, &op->elem, &b);
	else
		buf_puts(&b, op->set->key[0] == NFT_TYPE_IPV4 ? "set4" : "set6");
	buf_printf(&b, " %s\n", op->set->comment + strlen("pods "));
	return buf_take(&b);
}

static inline int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The kernel takes what is pending.  @changes: sorted, a line each; NULL: whatever it is */
static inline void expect(struct world *w, const char *changes)
{
	_cleanup_(buf_done) struct buf b = {0};
	struct nft_ops ops = {0};
	VEC(char *) lines = {0};

	assert_true(table_ops(w->t, 0, &ops));
	vec_foreach (op, &ops.op)
		if (changes)
			vec_push(&lines, op_text(op));
	table_committed(w->t, &ops);
	nft_ops_done(&ops);
	assert_int_equal(table_pending(w->t), 0);
	vec_sort(&lines, compare_texts);
	buf_puts(&b, "");
	vec_foreach (line, &lines) {
		buf_puts(&b, *line);
		free(*line);
	}
	vec_done(&lines);
	if (changes)
		assert_string_equal(b.data, changes);
}

static inline void commit(struct world *w)
{
	expect(w, NULL);
}

static inline void setup(struct world *w)
{
	*w = (struct world){.t = table_new("t")};
	w->p = peers_new(w->t, NULL, NULL, &w->touched);
	commit(w);
}

/* --- pods and namespaces -----------------------------------------------------------------------
 */

/* Pod @i is now such a pod, whatever it was before. */
static inline void put_pod(struct world *w, int i, const char *ns, const char *labels,
			   const char *addrs, const char *ports)
{
	struct known_pod *k = &w->pods[i];
	struct pod *pod = sample_pod(ns, labels, addrs, ports), *old = k->object;

	peers_pod_update(w->p, &k->peer, pod, pod->n_ips, pod->ips);
	k->object = pod;
	(void)object_free(old ? &old->o : NULL);
}

static inline void remove_pod(struct world *w, int i)
{
	struct known_pod *k = &w->pods[i];

	peers_pod_update(w->p, &k->peer, NULL, 0, NULL);
	assert_int_equal(k->peer.n_member, 0);
	(void)object_free(&k->object->o);
	*k = (struct known_pod){0};
}

/* The place of a namespace that is known (@ns), or of one that is not (NULL). */
static inline struct known_ns *ns_place(struct world *w, const char *ns)
{
	for (int i = 0; i < NAMESPACES; i++)
		if (w->namespaces[i].ns == ns)
			return &w->namespaces[i];
	return NULL;
}

/* @labels NULL: the namespace vanished.  Its pods are looked at later. */
static inline void change_ns(struct world *w, const char *name, const char *labels)
{
	const char *ns = intern(name);
	struct known_ns *k = ns_place(w, ns), old;

	k = k ? k : ns_place(w, NULL);
	assert_non_null(k);
	old = *k;
	*k = (struct known_ns){0};
	if (labels)
		*k = (struct known_ns){ns, sample_labels(labels)};
	peers_namespace(w->p, ns, labels ? &k->labels : NULL);
	sample_labels_done(&old.labels);
	intern_put(ns);
}

static inline void put_ns(struct world *w, const char *name, const char *labels)
{
	change_ns(w, name, labels);
	assert_false(peers_fill(w->p, SIZE_MAX));
}

static inline void teardown(struct world *w)
{
	for (int i = 0; i < PODS; i++)
		if (w->pods[i].object)
			remove_pod(w, i);
	for (int i = 0; i < NAMESPACES; i++)
		if (w->namespaces[i].ns)
			change_ns(w, w->namespaces[i].ns, NULL);
	assert_int_equal(peers_sets(w->p), 0);
	assert_null(peers_free(w->p));
	vec_done(&w->touched.v);
	(void)table_free(w->t);
	assert_int_equal(intern_count(), 0);
}

/* --- sets --------------------------------------------------------------------------------------
 */

/* struct want - a term in words; @port NULL: plain, else "tcp:http" */
struct want {
	const char *ns, *namespaces, *pods, *port;
};

static inline void term_of(const struct want *want, struct term *ret)
{
	struct sample_match m;
	const char *port = want->port ? intern(want->port + strlen("tcp:")) : NULL;

	sample_match_init(&m, want->ns, want->namespaces, want->pods);
	term_init(ret, &m.m, port ? *want->port == 't' ? PROTO_TCP : PROTO_UDP : 0, port);
	sample_match_done(&m);
	intern_put(port);
}

/* Use the set of these terms, one or two in any order; the same twice is one. */
static inline struct peer_set *use_unfilled(struct world *w, const struct want *wants, size_t n)
{
	struct term terms[TERMS] = {0};
	struct peer_set *s;

	for (size_t i = 0; i < n; i++)
		term_of(&wants[i], &terms[i]);
	qsort(terms, n, sizeof(*terms), term_compare);
	s = peers_set_get(w->p, terms, n == 2 && term_compare(&terms[0], &terms[1]) == 0 ? 1 : n);
	for (size_t i = 0; i < n; i++)
		term_done(&terms[i]);
	return s;
}

/* The same, complete. */
static inline struct peer_set *use(struct world *w, const struct want *wants, size_t n)
{
	struct peer_set *s = use_unfilled(w, wants, n);

	assert_false(peers_fill(w->p, SIZE_MAX));
	return s;
}

#define USE(w, ...)    use(w, (struct want[]){__VA_ARGS__}, ARRAY_SIZE(((struct want[]){__VA_ARGS__})))
#define SHOP(pods)     ((struct want){"shop", NULL, pods, NULL})
#define AT(pods, port) ((struct want){"shop", NULL, pods, port})
