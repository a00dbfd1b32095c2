// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_endpoint.c - interfaces of pods, and the objects that come, go and come again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "datapath/policy/endpoint.h"
#include "test/unit/peer_world.h"

enum { INTERFACES = 3 };

struct endpoint_world {
	struct world peers;
	struct endpoints s;
	struct attachment at[INTERFACES];
	char ifname[INTERFACES][8];
	struct peer_set *set;
};

/* Several interfaces of one pod, and the set of the pods with its label. */
static int set_up(void **state)
{
	static char id[] = "c", ns[] = "shop", name[] = "pod", uid[] = "";
	struct endpoint_world *w = xcalloc(1, sizeof(*w));

	setup(&w->peers);
	w->s = (struct endpoints){.touched = &w->peers.touched, .peers = w->peers.p};
	w->set = USE(&w->peers, SHOP("a"));
	commit(&w->peers);
	for (size_t i = 0; i < INTERFACES; i++) {
		(void)snprintf(w->ifname[i], sizeof(w->ifname[i]), "net%zu", i);
		w->at[i] = (struct attachment){.id = id,
					       .ifname = w->ifname[i],
					       .ns = ns,
					       .pod = name,
					       .uid = uid,
					       .n_addrs = 1,
					       .addrs = {{AF_INET, {10, 0, 0, (uint8_t)(i + 1)}}}};
		endpoints_attach(&w->s, &w->at[i]);
	}
	*state = w;
	return 0;
}

static void detach(struct endpoint_world *w, size_t i)
{
	while (endpoints_take_dirty(&w->s))
		;
	endpoints_detach(&w->s, endpoints_find(&w->s, w->at[i].id, w->at[i].ifname));
}

static int tear_down(void **state)
{
	struct endpoint_world *w = *state;

	assert_null(w->s.all);
	assert_int_equal(w->s.names.n, 0);
	ptr_table_done(&w->s.names);
	peers_set_put(w->peers.p, w->set);
	teardown(&w->peers);
	free(w);
	return 0;
}

/* The object goes and comes: all interfaces keep a copy meanwhile, and give it back. */
static void an_object_that_comes_again(void **state)
{
	struct endpoint_world *w = *state;
	struct pod *first = sample_pod("shop", "a=1 b=1", "", ""),
		   *second = sample_pod("shop", "a=1", "", ""),
		   *third = sample_pod("shop", "b=2", "", "");

	endpoints_pod(&w->s, NULL, first);
	expect(&w->peers, "+10.0.0.1 a of ns shop\n+10.0.0.2 a of ns shop\n"
			  "+10.0.0.3 a of ns shop\n");
	endpoints_pod(&w->s, first, NULL);
	(void)object_free(&first->o);
	expect(&w->peers, "");
	for (size_t i = 0; i < INTERFACES; i++)
		assert_true(endpoints_find(&w->s, "c", w->ifname[i])->pod->copy != NULL);
	endpoints_pod(&w->s, NULL, second);
	expect(&w->peers, "");
	for (size_t i = 0; i < INTERFACES; i++)
		assert_ptr_equal(endpoints_find(&w->s, "c", w->ifname[i])->pod->object, second);
	endpoints_pod(&w->s, second, NULL);
	(void)object_free(&second->o);
	detach(w, 1); /* with its copy */
	expect(&w->peers, "-10.0.0.2 a of ns shop\n");
	endpoints_pod(&w->s, NULL, third);
	expect(&w->peers, "-10.0.0.1 a of ns shop\n-10.0.0.3 a of ns shop\n");
	detach(w, 0);
	detach(w, 2);
	endpoints_pod(&w->s, third, NULL);
	(void)object_free(&third->o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_object_that_comes_again, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
