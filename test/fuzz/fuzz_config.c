// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_config.c - any text as the agent's configuration file, and as flags.
 *
 * Input: lines "--key=value", then the file.  What is accepted keeps the promises of
 * agent/config/config.h, and a reload to it leaves nothing that it could have applied.
 */
#include "agent/config/config_keys.h"
#include "agent/report/pages_address.h"
#include "lib/utf8.h"
#include "test/fuzz/must.h"

#define FLAGS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const struct err *e)
{
	must(e->code < 0 && *e->msg && utf8_valid(e->msg, strlen(e->msg)));
	for (const char *s = e->msg; *s; s++)
		must((unsigned char)*s >= ' ' && *s != 0x7f);
}

/* The flags at the beginning of @text, in place; @ret_rest: what follows them. */
static size_t take_flags(char *text, struct config_flag *ret, char **ret_rest)
{
	size_t n = 0;

	while (n < FLAGS_MAX && str_starts(text, "--")) {
		char *end = strchr(text, '\n'), *value = strchr(text, '=');

		if (!end || !value || value > end)
			break;
		*value = *end = '\0';
		ret[n].value = value + 1;
		if (config_key_find(text + 2, &ret[n].key, NULL) == 0)
			n++;
		text = end + 1;
	}
	*ret_rest = text;
	return n;
}

static void check_prefixes(const struct prefix_list *l, bool disjoint)
{
	must(l->n <= CONFIG_PREFIXES_MAX);
	for (uint32_t i = 0; i < l->n; i++)
		for (uint32_t j = 0; j < i; j++) {
			must(!prefix_eq(&l->v[i], &l->v[j]));
			must(!disjoint || (!prefix_covers(&l->v[i], &l->v[j]) &&
					   !prefix_covers(&l->v[j], &l->v[i])));
		}
}

static void check_config(const struct config *c)
{
	const char *const paths[] = {c->state_dir, c->run_dir, c->cni_conf_dir};
	struct pages_address at;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		must(paths[i] && *paths[i] == '/');
	must(!c->manifests || *c->manifests == '/');
	must(!c->kubeconfig || *c->kubeconfig == '/');
	must(c->cni_bin_dir && c->conflist_name && !strchr(c->conflist_name, '/'));
	must(!c->node || (*c->node && strlen(c->node) <= 253));
	must(pages_address_parse(c->http_address, &at, NULL) == 0);
	must(c->mtu == 0 || (c->mtu >= 1280 && c->mtu <= 65535));
	check_prefixes(&c->ranges, true);
	check_prefixes(&c->masquerade.exclude, false);
	if (config_check_agent(c, &e) < 0)
		check_message(&e);
}

static void check_reload(struct config *fresh)
{
	_cleanup_(config_freep) struct config *running = NULL;
	struct config_diff diff = config_reload_diff(fresh, fresh), left;

	must(!diff.applied && !diff.refused);
	must(config_parse(NULL, NULL, 0, NULL, 0, &running, NULL) == 0);
	diff = config_reload_diff(running, fresh);
	config_adopt(running, fresh, &diff);
	left = config_reload_diff(running, fresh);
	must(!left.applied && left.refused == diff.refused);
	check_config(running);
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
	_cleanup_(config_freep) struct config *c = NULL;
	struct config_flag flags[FLAGS_MAX];
	struct err e = {0};
	char *file = text;
	size_t n = take_flags(text, flags, &file);

	if (config_parse("manx.conf", file, strlen(file), flags, n, &c, &e) < 0) {
		must(!c);
		check_message(&e);
		return 0;
	}
	check_config(c);
	check_reload(c);
	return 0;
}
