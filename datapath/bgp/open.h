/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open.h - OPEN: what each side of a session can do, and what both agree on.  Pure.
 *
 * Sources: RFC 4271 4.2, 6.2; RFC 5492 (capabilities); RFC 9072 (long parameters); RFC 6286
 * (identifiers); RFC 7607 (AS 0); RFC 4760, 2918, 4724, 8538, 6793 (the capabilities).
 */
#pragma once

#include "datapath/bgp/message.h"

/*
 * struct bgp_open - an OPEN, ours or theirs
 * @asn:      Of the capability where there is one
 * @hold:     Seconds; 0: no keepalives
 * @id:       BGP identifier, host byte order
 * @families: Bits; where no multiprotocol capability came, IPv4
 * @as4, @refresh, @graceful: The capabilities
 * @restarting, @notifies: Bits R and N (RFC 8538) of graceful restart
 * @restart_sec: 0 to 4095
 * @restart_families: Bits; those that graceful restart names
 * @kept_families: Bits; those whose forwarding state was kept (F)
 * @codes:    Bits; capabilities that came, by code, known or not
 */
struct bgp_open {
	uint32_t asn, id;
	uint16_t hold;
	uint8_t families;
	bool as4, refresh, graceful, restarting, notifies;
	uint16_t restart_sec;
	uint8_t restart_families, kept_families;
	uint32_t codes[8];
};

/*
 * struct bgp_expected - what an OPEN of the neighbour has to say
 * @ours:       Our OPEN
 * @asn:        Theirs; 0: any, by @external and @internal
 * @external:   Another than ours, if @asn is 0
 */
struct bgp_expected {
	const struct bgp_open *ours;
	uint32_t asn;
	bool external;
};

/* struct bgp_agreed - what the session has after both OPENs */
struct bgp_agreed {
	uint16_t hold;
	uint8_t families;
	bool as4, refresh, external;
};

void bgp_open_put(struct buf *out, const struct bgp_open *o);
bool bgp_open_read(const uint8_t *data, size_t len, struct bgp_open *ret, struct bgp_notice *bad);
bool bgp_open_check(const struct bgp_open *o, const struct bgp_expected *want,
		    struct bgp_agreed *ret, struct bgp_notice *bad, uint8_t scratch[static 16]);

static inline bool bgp_open_has(const struct bgp_open *o, uint8_t code)
{
	return o->codes[code / 32] >> code % 32 & 1;
}
