// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_dump.c - the local pods of `manx validate --dump-table`, and that its text depends on the
 * objects alone.  What the text says is compared in test/golden.
 */
#include "agent/command/dump.h"

#include <errno.h>
#include <setjmp.h>

#include <cmocka.h>

#include "lib/intern.h"
#include "watch/folder/manifests.h"

static void test_attachments(void **state _unused_)
{
	struct attachment_list list = {0};
	char text[ADDR_STR_MAX];
	struct err e = {0};

	assert_int_equal(dump_attachment_parse("shop/web=10.1.0.5,fd00::5", &list, &e), 0);
	assert_int_equal(dump_attachment_parse("shop/web-2=fd00::6", &list, &e), 0);
	assert_int_equal(list.at.n, 2);
	assert_string_equal(list.at.v[0]->ns, "shop");
	assert_string_equal(list.at.v[0]->pod, "web");
	assert_int_equal(list.at.v[0]->n_addrs, 2);
	assert_string_equal(addr_str(&list.at.v[0]->addrs[0], text), "10.1.0.5");
	assert_string_equal(addr_str(&list.at.v[0]->addrs[1], text), "fd00::5");
	assert_int_equal(list.at.v[1]->n_addrs, 1);
	assert_string_not_equal(list.at.v[0]->host_ifname, list.at.v[1]->host_ifname);
	assert_memory_not_equal(&list.at.v[0]->mac, &list.at.v[1]->mac, sizeof(struct mac));
	attachment_list_done(&list);
}

static void test_bad_attachments(void **state _unused_)
{
	static const char *const texts[] = {
		"",
		"web=10.1.0.5",
		"shop/web",
		"/web=10.1.0.5",
		"shop/=10.1.0.5",
		"shop/web=",
		"shop/web=10.1.0",
		"shop/web=10.1.0.5,",
		"shop/web=10.1.0.5,10.1.0.6",
		"shop/web=fd00::5,10.1.0.5",
		"shop/web=10.1.0.5,fd00::5,fd00::6",
	};
	struct attachment_list list = {0};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct err e = {0};

		assert_int_equal(dump_attachment_parse(texts[i], &list, &e), -EINVAL);
		assert_true(strlen(e.msg) > 0);
		assert_int_equal(list.at.n, 0);
	}
	attachment_list_done(&list);
}

#define OBJECT(kind, name, rest)                                                                \
	"{\"apiVersion\":\"v1\",\"kind\":\"" kind "\",\"metadata\":{\"name\":\"" name "\"" rest \
	"}\n"
#define POD(name, address) \
	OBJECT("Pod", name, ",\"namespace\":\"a\"},\"status\":{\"podIP\":\"" address "\"}")
#define POLICY                                                                              \
	"{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":" \
	"{\"name\":\"p\",\"namespace\":\"a\"},\"spec\":{\"podSelector\":{},\"ingress\":[{"  \
	"\"from\":"                                                                         \
	"[{\"podSelector\":{}}]}]}}\n"

static char *dump(const char *json)
{
	_cleanup_(config_freep) struct config *c = NULL;
	_cleanup_(manifest_done) struct manifest m = {0};
	struct store *store = store_new(NULL, NULL);
	struct attachment_list list = {0};
	struct buf out = {0};

	assert_int_equal(config_parse(NULL, NULL, 0, NULL, 0, &c, NULL), 0);
	assert_int_equal(manifest_parse("x.json", json, strlen(json), &m, NULL), 0);
	vec_foreach (entry, &m.entries)
		(void)store_put(store, TAKE(entry->o, NULL));
	assert_int_equal(dump_attachment_parse("a/one=10.0.0.1", &list, NULL), 0);
	dump_table(store, c, &list, &out);
	attachment_list_done(&list);
	(void)store_free(store);
	return buf_take(&out);
}

static void test_order_of_objects_does_not_matter(void **state _unused_)
{
	_cleanup_(freep) char *forth = dump(OBJECT("Namespace", "a", "}") POD("one", "10.0.0.1")
						    POD("two", "10.0.0.2") POLICY);
	_cleanup_(freep) char *back = dump(POLICY POD("two", "10.0.0.2") POD("one", "10.0.0.1")
						   OBJECT("Namespace", "a", "}"));

	assert_non_null(strstr(forth, "{ 10.0.0.1, 10.0.0.2 }"));
	assert_string_equal(forth, back);
}

static int nothing_interned(void **state _unused_)
{
	return intern_count() == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attachments),
		cmocka_unit_test(test_bad_attachments),
		cmocka_unit_test(test_order_of_objects_does_not_matter),
	};

	return cmocka_run_group_tests_name("dump", tests, NULL, nothing_interned);
}
