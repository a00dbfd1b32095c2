// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * curl.c - load libcurl when it is needed.
 */
#include "watch/kube/curl.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#define LIBRARY "libcurl.so.4"

struct curl_functions curl;

/**
 * curl_load() - Load libcurl and fill in @curl; nothing happens the second time
 * @reterr: What is missing
 *
 * Return: 0; -ENOPKG
 */
int curl_load(struct err *reterr)
{
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = {
#define CURL_ENTRY(name) {"curl_" #name, offsetof(struct curl_functions, name)},
		CURL_FUNCTIONS(CURL_ENTRY)
#undef CURL_ENTRY
	};
	struct curl_functions found;
	void *library;

	if (curl.global_init)
		return 0;
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return err_set(reterr, -ENOPKG,
			       "the API server as the source needs " LIBRARY ": %s", dlerror());
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		void *f = dlsym(library, functions[i].name);

		if (!f)
			return err_set(reterr, -ENOPKG, LIBRARY " has no %s()", functions[i].name);
		memcpy((char *)&found + functions[i].offset, &f, sizeof(f));
	}
	curl = found;
	return 0;
}
