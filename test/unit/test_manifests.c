// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_manifests.c - which file's version of an object is in force, and what is told about it.
 *
 * Files are scripts: "Pod a/web=x, Policy a/p=y!" is a pod whose label v is x, and a policy set
 * aside.  Changes are recorded as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/intern.h"
#include "watch/folder/manifests.h"
#include "watch/object/namespace.h"
#include "watch/object/netpol.h"
#include "watch/object/node.h"
#include "watch/object/pod.h"

struct world {
	struct store *store;
	struct manifests *m;
	struct buf log;
};

static struct label *one_label(const char *value)
{
	struct label *l = xcalloc(1, sizeof(*l));

	l->key = intern("v");
	l->value = intern(value);
	return l;
}

/* A pod, node or namespace carries @value as a label, a policy as a term of its selector. */
static struct object *make(enum kind kind, const char *ns, const char *name, const char *value)
{
	static const size_t sizes[] = {
		[KIND_NODE] = sizeof(struct node),
		[KIND_NAMESPACE] = sizeof(struct namespace),
		[KIND_POD] = sizeof(struct pod),
		[KIND_NETPOL] = sizeof(struct netpol),
	};
	struct object *o = xcalloc(1, sizes[kind]);

	o->kind = kind;
	o->ns = ns ? intern(ns) : NULL;
	o->name = intern(name);
	if (kind == KIND_NETPOL) {
		struct netpol *p = (struct netpol *)o;

		p->selects.n = 1;
		p->selects.v = xcalloc(1, sizeof(*p->selects.v));
		p->selects.v[0].key = intern(value);
		p->selects.v[0].op = SELECTOR_EXISTS;
	} else if (kind == KIND_POD) {
		((struct pod *)o)->labels = (struct labels){1, one_label(value)};
	} else if (kind == KIND_NODE) {
		((struct node *)o)->labels = (struct labels){1, one_label(value)};
	} else {
		((struct namespace *)o)->labels = (struct labels){1, one_label(value)};
	}
	return o;
}

static const char *value_of(const struct object *o)
{
	switch (o->kind) {
	case KIND_POD:
		return as_pod(o)->labels.v[0].value;
	case KIND_NODE:
		return as_node(o)->labels.v[0].value;
	case KIND_NAMESPACE:
		return as_namespace(o)->labels.v[0].value;
	default:
		return as_netpol(o)->selects.v[0].key;
	}
}

/* "Pod a/web=x", "Node n=x", with '!' at the end set aside */
static struct object *make_from(const char *text)
{
	char kind[16], ns[16], name[16], value[16];
	struct object *o = NULL;
	size_t n = strlen(text);

	if (sscanf(text, "%15s %15[a-z]/%15[a-z]=%15[a-z]", kind, ns, name, value) == 4)
		o = make(streq(kind, "Pod") ? KIND_POD : KIND_NETPOL, ns, name, value);
	else if (sscanf(text, "%15s %15[a-z]=%15[a-z]", kind, name, value) == 3)
		o = make(streq(kind, "Node") ? KIND_NODE : KIND_NAMESPACE, NULL, name, value);
	assert_non_null(o);
	if (text[n - 1] == '!')
		o->problem = xstrdup("spec.x: bad");
	return o;
}

/* Load a file whose objects are separated by ", "; each stands on a line of its own. */
static void load(struct world *w, const char *file, const char *script)
{
	_cleanup_(freep) char *copy = xstrdup(script);
	struct manifest content = {0};
	uint32_t line = 1;
	char *rest = copy, *text;

	while ((text = strsep(&rest, ",")))
		if (*text)
			vec_push(&content.entries,
				 (struct manifest_entry){make_from(text + (*text == ' ')), line++});
	manifests_load(w->m, file, &content);
	assert_int_equal(content.entries.n, 0);
}

static void on_change(void *arg, const struct object_key *key, struct object *old)
{
	struct world *w = arg;
	const struct object *o = store_get(w->store, key);

	buf_printf(&w->log, "%s%s %s%s%s", w->log.len ? ", " : "", kind_str(key->kind),
		   key->ns ?: "", key->ns ? "/" : "", key->name);
	if (o) {
		assert_ptr_equal(o->name, key->name);
		assert_ptr_equal(o->ns, key->ns);
		buf_printf(&w->log, "=%s%s", value_of(o), o->problem ? "!" : "");
	} else {
		buf_puts(&w->log, " gone");
	}
	assert_true(o || old);
	(void)object_free(old);
}

/* What was told since the last call. */
static void told(struct world *w, const char *expected)
{
	assert_string_equal(w->log.len ? w->log.data : "", expected);
	buf_reset(&w->log);
}

static void add_problem(void *arg, const char *text)
{
	struct buf *b = arg;

	buf_printf(b, "%s%s", b->len ? "\n" : "", text);
}

static void problems(struct world *w, const char *expected)
{
	struct manifests_stats stats;
	struct buf b = {0};
	size_t lines = *expected ? 1 : 0;

	for (const char *p = expected; *p; p++)
		lines += *p == '\n';
	manifests_each_problem(w->m, add_problem, &b);
	assert_string_equal(b.len ? b.data : "", expected);
	manifests_stats(w->m, &stats);
	assert_int_equal(stats.problems, lines);
	buf_done(&b);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->store = store_new(on_change, w);
	w->m = manifests_new(w->store);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	buf_reset(&w->log);
	w->m = manifests_free(w->m);
	w->store = store_free(w->store);
	assert_int_equal(w->log.len, 0); /* forgetting tells nothing */
	buf_done(&w->log);
	free(w);
	assert_int_equal(intern_count(), 0);
	return 0;
}

/* --- one file ------------------------------------------------------------------------------------
 */

static void test_add_change_remove(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Pod a/web=x, Pod a/db=x, Namespace a=x");
	told(w, "Pod a/web=x, Pod a/db=x, Namespace a=x");
	load(w, "a.yaml", "Pod a/web=x, Pod a/db=z, Namespace a=x");
	told(w, "Pod a/db=z");
	load(w, "a.yaml", "Namespace a=x, Node n=x, Pod a/db=z");
	told(w, "Node n=x, Pod a/web gone");
	load(w, "a.yaml", "");
	told(w, "Pod a/db gone, Namespace a gone, Node n gone");
	problems(w, "");
}

static void test_nothing_changed(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Pod a/web=x, Policy a/p=x");
	told(w, "Pod a/web=x, NetworkPolicy a/p=x");
	load(w, "a.yaml", "Policy a/p=x, Pod a/web=x");
	told(w, "");
}

static void test_same_name_elsewhere(void **state)
{
	struct world *w = *state;

	/* Kind and namespace are part of the key. */
	load(w, "a.yaml", "Pod a/x=v, Pod b/x=v, Policy a/x=v, Node x=v, Namespace x=v");
	told(w, "Pod a/x=v, Pod b/x=v, NetworkPolicy a/x=v, Node x=v, Namespace x=v");
	load(w, "a.yaml", "Pod b/x=v, Namespace x=v");
	told(w, "Pod a/x gone, NetworkPolicy a/x gone, Node x gone");
}

static void test_drop(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Pod a/web=x");
	load(w, "b.yaml", "Pod a/db=x");
	told(w, "Pod a/web=x, Pod a/db=x");
	manifests_drop(w->m, "c.yaml");
	told(w, "");
	manifests_drop(w->m, "a.yaml");
	told(w, "Pod a/web gone");
	manifests_drop(w->m, "a.yaml");
	told(w, "");
}

static void test_twice_in_one_file(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Pod a/web=x, Pod a/web=z");
	told(w, "Pod a/web=x");
	problems(w, "a.yaml:2: Pod a/web stands in line 1 already, which wins");
	load(w, "a.yaml", "Pod a/web=z");
	told(w, "Pod a/web=z");
	problems(w, "");
}

/* --- several files -------------------------------------------------------------------------------
 */

static void test_first_file_wins(void **state)
{
	struct world *w = *state;

	load(w, "b.yaml", "Pod a/web=b");
	told(w, "Pod a/web=b");
	load(w, "c.yaml", "Pod a/web=c");
	told(w, "");
	problems(w, "c.yaml:1: Pod a/web is in b.yaml:1 too, which wins");
	load(w, "a.yaml", "Pod a/db=x, Pod a/web=a");
	told(w, "Pod a/db=x, Pod a/web=a");
	problems(w, "b.yaml:1: Pod a/web is in a.yaml:2 too, which wins\n"
		    "c.yaml:1: Pod a/web is in a.yaml:2 too, which wins");
}

static void test_next_file_takes_over(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Pod a/web=a");
	load(w, "b.yaml", "Pod a/web=b");
	load(w, "c.yaml", "Pod a/web=c");
	told(w, "Pod a/web=a");
	load(w, "b.yaml", "Pod a/web=n");
	told(w, ""); /* not in force, but remembered */
	manifests_drop(w->m, "a.yaml");
	told(w, "Pod a/web=n");
	load(w, "b.yaml", "");
	told(w, "Pod a/web=c");
	problems(w, "");
	load(w, "c.yaml", "Pod a/db=c");
	told(w, "Pod a/db=c, Pod a/web gone");
}

static void test_moved_unchanged(void **state)
{
	struct world *w = *state;

	/* To another file before or behind, the new one first: nothing happens to the object. */
	load(w, "b.yaml", "Policy a/p=x");
	told(w, "NetworkPolicy a/p=x");
	load(w, "c.yaml", "Policy a/p=x");
	manifests_drop(w->m, "b.yaml");
	load(w, "a.yaml", "Policy a/p=x");
	manifests_drop(w->m, "c.yaml");
	told(w, "");
	problems(w, "");
}

static void test_removal_of_one_not_in_force(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Pod a/web=a");
	load(w, "b.yaml", "Pod a/web=b");
	told(w, "Pod a/web=a");
	manifests_drop(w->m, "b.yaml");
	told(w, "");
	problems(w, "");
	manifests_drop(w->m, "a.yaml");
	told(w, "Pod a/web gone");
}

static void test_shadowed_version_comes_back(void **state)
{
	struct world *w = *state;

	load(w, "b.yaml", "Pod a/web=b, Pod a/db=b");
	load(w, "a.yaml", "Pod a/web=a");
	told(w, "Pod a/web=b, Pod a/db=b, Pod a/web=a");
	load(w, "b.yaml", "Pod a/web=n!, Pod a/db=b"); /* the version before stays */
	manifests_drop(w->m, "a.yaml");
	told(w, "Pod a/web=b");
	load(w, "a.yaml", "Pod a/web=a");
	load(w, "b.yaml", "Pod a/db=b"); /* the shadow goes, unseen */
	manifests_drop(w->m, "a.yaml");
	told(w, "Pod a/web=a, Pod a/web gone");
	load(w, "b.yaml", "");
	told(w, "Pod a/db gone");
}

/* --- what is wrong -------------------------------------------------------------------------------
 */

static void test_failed_file_keeps_objects(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Pod a/web=x");
	told(w, "Pod a/web=x");
	manifests_fail(w->m, "a.yaml", "a.yaml:7: bad");
	manifests_fail(w->m, "a.yaml", "a.yaml:8: worse");
	manifests_fail(w->m, "new.yaml", "new.yaml:1: bad too");
	told(w, "");
	problems(w, "a.yaml:8: worse\nnew.yaml:1: bad too");
	load(w, "a.yaml", "Pod a/web=x");
	told(w, "");
	manifests_drop(w->m, "new.yaml");
	problems(w, "");
}

static void test_nameless_document_keeps_objects(void **state)
{
	struct world *w = *state;
	struct manifest content = {0};

	load(w, "a.yaml", "Policy a/p=x, Pod a/web=x");
	told(w, "NetworkPolicy a/p=x, Pod a/web=x");
	/* The policy lost its name, say: the rest of the file counts, but it must not go. */
	vec_push(&content.problems, xstrdup("a.yaml:1: metadata.name: required"));
	vec_push(&content.entries, (struct manifest_entry){make_from("Pod a/web=z"), 5});
	vec_push(&content.entries, (struct manifest_entry){make_from("Pod a/db=z"), 9});
	manifests_load(w->m, "a.yaml", &content);
	told(w, "Pod a/web=z, Pod a/db=z");
	problems(w, "a.yaml:1: metadata.name: required");
	load(w, "a.yaml", "Pod a/web=z");
	told(w, "NetworkPolicy a/p gone, Pod a/db gone");
	problems(w, "");
}

/* However often a file is loaded that may not lose anything, it knows what it saw last. */
static void test_kept_over_many_loads(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Pod a/web=a");
	load(w, "b.yaml", "Policy a/p=x, Pod a/web=x");
	told(w, "Pod a/web=a, NetworkPolicy a/p=x");
	for (int i = 0; i < UINT16_MAX; i++) {
		struct manifest content = {0};

		vec_push(&content.problems, xstrdup("b.yaml:1: metadata.name: required"));
		manifests_load(w->m, "b.yaml", &content);
	}
	told(w, "");
	problems(w, "b.yaml:1: metadata.name: required\n"
		    "b.yaml:2: Pod a/web is in a.yaml:1 too, which wins");
	load(w, "b.yaml", "Policy a/p=x, Pod a/web=x");
	told(w, "");
	problems(w, "b.yaml:2: Pod a/web is in a.yaml:1 too, which wins");
	load(w, "b.yaml", "");
	told(w, "NetworkPolicy a/p gone");
	problems(w, "");
}

static void test_bad_pod_keeps_version_before(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Pod a/web=x, Node n=x, Namespace a=x");
	told(w, "Pod a/web=x, Node n=x, Namespace a=x");
	load(w, "a.yaml", "Pod a/web=z!, Node n=z!, Namespace a=z!, Pod a/db=z!");
	told(w, "");
	problems(w, "a.yaml:1: Pod a/web: spec.x: bad (the version before stays)\n"
		    "a.yaml:2: Node n: spec.x: bad (the version before stays)\n"
		    "a.yaml:3: Namespace a: spec.x: bad (the version before stays)\n"
		    "a.yaml:4: Pod a/db: spec.x: bad");
	load(w, "a.yaml", "Pod a/web=z, Namespace a=x");
	told(w, "Pod a/web=z, Node n gone");
	problems(w, "");
}

static void test_bad_pod_leaves_other_file_in_force(void **state)
{
	struct world *w = *state;

	load(w, "b.yaml", "Pod a/web=b");
	load(w, "a.yaml", "Pod a/web=a!");
	told(w, "Pod a/web=b");
	problems(w, "a.yaml:1: Pod a/web: spec.x: bad");
}

static void test_bad_policy_replaces(void **state)
{
	struct world *w = *state;

	load(w, "a.yaml", "Policy a/p=x");
	told(w, "NetworkPolicy a/p=x");
	load(w, "a.yaml", "Policy a/p=x!");
	told(w, "NetworkPolicy a/p=x!");
	problems(w, "a.yaml:1: NetworkPolicy a/p: spec.x: bad");
	load(w, "a.yaml", "Policy a/p=x!");
	told(w, "");
	load(w, "a.yaml", "Policy a/p=x");
	told(w, "NetworkPolicy a/p=x");
	problems(w, "");
}

/* Its pods are isolated, whatever the version before said; one that isolates nobody is kept. */
static void test_bad_namespace_that_isolates_replaces(void **state)
{
	struct world *w = *state;
	struct object *bad = make_from("Namespace a=z!");
	struct manifest content = {0};

	load(w, "a.yaml", "Namespace a=x");
	told(w, "Namespace a=x");
	load(w, "a.yaml", "Namespace a=y!");
	told(w, "");
	problems(w, "a.yaml:1: Namespace a: spec.x: bad (the version before stays)");
	((struct namespace *)bad)->isolated = true;
	vec_push(&content.entries, (struct manifest_entry){bad, 1});
	manifests_load(w->m, "a.yaml", &content);
	told(w, "Namespace a=z!");
	problems(w, "a.yaml:1: Namespace a: spec.x: bad");
}

/* --- at random -----------------------------------------------------------------------------------
 */

#define FILES	 5
#define NAMES	 6
#define RANDOM_N 20000

/* struct model - what each file defines, by name: a letter, 0 for nothing; and what was told last
 */
struct model {
	struct store *store;
	struct manifests *m;
	char defined[FILES][NAMES];
	char force[NAMES];
};

static void on_model_change(void *arg, const struct object_key *key, struct object *old)
{
	struct model *m = arg;
	const struct object *o = store_get(m->store, key);
	char now = o ? *value_of(o) : '\0', *before = &m->force[key->name[0] - 'a'];

	assert_int_not_equal(now, *before);
	*before = now;
	(void)object_free(old);
}

static void load_at_random(struct model *m, unsigned int *seed, int f, const char *file)
{
	bool nameless = rand_r(seed) % 4 == 0;
	struct manifest content = {0};
	char defined[NAMES] = {0};

	if (nameless)
		vec_push(&content.problems, xstrdup("nameless"));
	for (int n = rand_r(seed) % (NAMES + 3); n > 0; n--) {
		int i = rand_r(seed) % NAMES;
		char name[] = {(char)('a' + i), '\0'};
		char value[] = {(char)('x' + rand_r(seed) % 3), '\0'};
		struct object *o = make(KIND_POD, "a", name, value);
		bool bad = rand_r(seed) % 5 == 0;

		if (bad)
			o->problem = xstrdup("bad");
		vec_push(&content.entries, (struct manifest_entry){o, 1});
		/* The first in a file wins, but one that is bad without a version before is none.
		 */
		if (!defined[i])
			defined[i] = bad ? m->defined[f][i] : value[0];
	}
	for (int i = 0; i < NAMES; i++)
		if (defined[i] || !nameless)
			m->defined[f][i] = defined[i];
	manifests_load(m->m, file, &content);
}

static void check_model(const struct model *m)
{
	struct manifests_stats s;
	size_t objects = 0;

	for (int i = 0; i < NAMES; i++) {
		char first = '\0';

		for (int f = FILES - 1; f >= 0; f--)
			first = m->defined[f][i] ?: first;
		assert_int_equal(m->force[i], first);
		objects += first != '\0';
	}
	manifests_stats(m->m, &s);
	assert_int_equal(s.objects[KIND_POD], objects);
}

static void test_at_random(void **state _unused_)
{
	struct model m = {0};
	unsigned int seed = 1;

	m.store = store_new(on_model_change, &m);
	m.m = manifests_new(m.store);
	for (int n = 0; n < RANDOM_N; n++) {
		int f = rand_r(&seed) % FILES;
		char file[] = {(char)('a' + f), '\0'};

		if (rand_r(&seed) % 6 == 0) {
			manifests_drop(m.m, file);
			memset(m.defined[f], 0, NAMES);
		} else {
			load_at_random(&m, &seed, f, file);
		}
		check_model(&m);
	}
	(void)manifests_free(m.m);
	(void)store_free(m.store);
	assert_int_equal(intern_count(), 0);
}

/* --- counting and copying ------------------------------------------------------------------------
 */

static void test_stats(void **state)
{
	struct world *w = *state;
	struct manifest content = {.unknown = 3};
	struct manifests_stats s;

	load(w, "a.yaml", "Pod a/web=x, Pod a/db=x, Node n=x");
	load(w, "b.yaml", "Pod a/web=z, Namespace a=x");
	manifests_load(w->m, "c.yaml", &content);
	manifests_stats(w->m, &s);
	assert_int_equal(s.files, 3);
	assert_int_equal(s.objects[KIND_POD], 2);
	assert_int_equal(s.objects[KIND_NODE], 1);
	assert_int_equal(s.objects[KIND_NAMESPACE], 1);
	assert_int_equal(s.objects[KIND_NETPOL], 0);
	assert_int_equal(s.unknown, 3);
	assert_int_equal(s.problems, 1);
	load(w, "a.yaml", "");
	manifests_drop(w->m, "c.yaml");
	manifests_stats(w->m, &s);
	assert_int_equal(s.objects[KIND_POD], 1);
	assert_int_equal(s.objects[KIND_NODE], 0);
	assert_int_equal(s.unknown, 0);
}

static void test_many_files(void **state)
{
	struct world *w = *state;
	struct manifests_stats s;
	char file[32];

	for (int i = 0; i < 300; i++) {
		(void)snprintf(file, sizeof(file), "%d.yaml", i * 7919 % 300);
		load(w, file, "Pod a/web=x");
	}
	told(w, "Pod a/web=x"); /* all alike: one change, whichever came first */
	for (int i = 0; i < 299; i++) {
		(void)snprintf(file, sizeof(file), "%d.yaml", i * 7907 % 300);
		manifests_drop(w->m, file);
	}
	told(w, "");
	manifests_stats(w->m, &s);
	assert_int_equal(s.files, 1);
	assert_int_equal(s.objects[KIND_POD], 1);
}

static struct netpol *full_policy(void)
{
	struct netpol *p = (struct netpol *)make(KIND_NETPOL, "a", "p", "x");
	struct policy_rule *r = xcalloc(1, sizeof(*r));

	p->o.problem = xstrdup("why");
	p->isolates[EGRESS] = true;
	p->n_rules[EGRESS] = 1;
	p->rules[EGRESS] = r;
	r->n_ports = 1;
	r->ports = xcalloc(1, sizeof(*r->ports));
	*r->ports = (struct policy_port){PROTO_UDP, PORT_NAME, 0, 0, intern("dns")};
	r->n_peers = 1;
	r->peers = xcalloc(1, sizeof(*r->peers));
	r->peers->kind = PEER_BLOCK;
	assert_int_equal(prefix_parse("10.0.0.0/8", &r->peers->cidr), 0);
	r->peers->n_except = 1;
	r->peers->except = xcalloc(1, sizeof(struct prefix));
	assert_int_equal(prefix_parse("10.1.0.0/16", r->peers->except), 0);
	r->peers->pods.n = 1;
	r->peers->pods.v = xcalloc(1, sizeof(struct requirement));
	r->peers->pods.v[0] =
		(struct requirement){intern("k"), SELECTOR_IN, 1, xcalloc(1, sizeof(char *))};
	r->peers->pods.v[0].values[0] = intern("val");
	return p;
}

static void test_copies_stand_alone(void **state _unused_)
{
	struct netpol *p = full_policy();
	struct pod *pod = (struct pod *)make(KIND_POD, "a", "web", "x");
	struct node *node = (struct node *)make(KIND_NODE, NULL, "n", "x");
	struct object *copies[3], *again;

	pod->o.uid = intern("u");
	pod->node = intern("n");
	pod->n_ports = 1;
	pod->ports = xcalloc(1, sizeof(*pod->ports));
	pod->ports[0] = (struct container_port){intern("http"), PROTO_TCP, 80};
	node->n_internal_ips = 1;
	node->internal_ips = xcalloc(1, sizeof(struct addr));
	assert_int_equal(addr_parse("192.0.2.1", node->internal_ips), 0);

	copies[0] = object_copy(&p->o);
	copies[1] = object_copy(&pod->o);
	copies[2] = object_copy(&node->o);
	assert_true(object_equal(copies[0], &p->o));
	assert_true(object_equal(copies[1], &pod->o));
	assert_true(object_equal(copies[2], &node->o));
	(void)object_free(&p->o);
	(void)object_free(&pod->o);
	(void)object_free(&node->o);
	/* The copies hold on their own what they need. */
	assert_string_equal(as_netpol(copies[0])->rules[EGRESS][0].peers[0].pods.v[0].values[0],
			    "val");
	assert_string_equal(as_pod(copies[1])->ports[0].name, "http");
	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		again = object_copy(copies[i]);
		(void)object_free(copies[i]);
		(void)object_free(again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add_change_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_name_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice_in_one_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_file_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_next_file_takes_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved_unchanged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removal_of_one_not_in_force, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_file_keeps_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nameless_document_keeps_objects, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_pod_keeps_version_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_pod_leaves_other_file_in_force, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_policy_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_namespace_that_isolates_replaces, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_shadowed_version_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept_over_many_loads, setup, teardown),
		cmocka_unit_test(test_at_random),
		cmocka_unit_test_setup_teardown(test_stats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copies_stand_alone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
