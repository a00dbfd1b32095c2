// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * packets.c - the first packets of many connections: packets ADDRESS PORT FIRST COUNT
 *
 * Sends COUNT UDP packets to ADDRESS, from source ports FIRST, FIRST + 1, ...: each the first of a
 * connection.  Over veth pairs a packet goes all its way, through the other namespaces to the
 * receiver's socket, inside send(), so that the time of the call is that of the way.  A raw socket,
 * so that nothing but the packet is new.
 *
 * Prints nanoseconds, one object: {"ns":median of all calls}.  To be run in the sender's namespace.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "test/bench/figure.h"

#define SOURCE_PORTS 0xffff

struct datagram { /* RFC 768; a checksum of 0 is none */
	uint16_t source, destination, length, checksum;
	uint8_t data[16];
};

static double send_one(int fd, uint16_t source, uint16_t destination)
{
	const struct datagram d = {htons(source), htons(destination), htons(sizeof(d)), 0, {0}};
	double began = bench_usec();

	if (send(fd, &d, sizeof(d), 0) != sizeof(d))
		bench_fail("send", NULL);
	return (bench_usec() - began) * 1000;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	unsigned long port, first, count;
	struct samples s = {0};

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		(void)fprintf(stderr, "usage: packets ADDRESS PORT FIRST COUNT\n");
		return 1;
	}
	port = strtoul(argv[2], NULL, 10);
	first = strtoul(argv[3], NULL, 10);
	count = strtoul(argv[4], NULL, 10);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		bench_fail("socket", NULL);
	if (!count || first + count > SOURCE_PORTS)
		bench_fail("more packets than source ports", NULL);
	vec_reserve(&s.v, count);
	for (unsigned long i = 0; i < count; i++)
		vec_push(&s.v, send_one(fd, (uint16_t)(first + i), (uint16_t)port));
	(void)printf("{\"ns\":%.0f}\n", samples_median(&s));
	return 0;
}
