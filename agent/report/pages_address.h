/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages_address.h - the text of --http-address: "127.0.0.1:9109", "[::1]:9109", ":9109", "".  Pure.
 */
#pragma once

#include "lib/addr.h"
#include "lib/err.h"

/*
 * struct pages_address
 * @off:  The text was empty: no HTTP server
 * @any:  No host was given: every address of both families; @addr is unset
 * @port: 0 lets the kernel pick one
 */
struct pages_address {
	bool off;
	bool any;
	struct addr addr;
	uint16_t port;
};

int pages_address_parse(const char *s, struct pages_address *ret, struct err *reterr);
