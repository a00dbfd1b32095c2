/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server of test pods: answer PORT|http:PORT...
 *
 * On each port, TCP and UDP, both families, it answers with the name of its host, which is the
 * pod's, and the address that it saw the client come from: what test/net's probes read.  On an http
 * port a TCP client gets the same as the answer to its HTTP request.  Asked to end, it ends.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_SOCKETS = 16, HTTP_WAIT_MS = 1000 };
enum { UDP, TCP, HTTP };

static char host[65];

static void end(int sig)
{
	(void)sig;
	_exit(EXIT_SUCCESS);
}

static int listen_on(int type, int port)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6,
				  .sin6_port = htons((unsigned short)port)};
	int s = socket(AF_INET6, type, 0), on = 1, off = 0;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) ||
	    (type == SOCK_STREAM && listen(s, 128))) {
		perror("answer");
		exit(EXIT_FAILURE);
	}
	return s;
}

/* The answer for a client, in text; returns its length. */
static int describe(const struct sockaddr_in6 *client, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(AF_INET6, &client->sin6_addr, address, sizeof(address));
	return snprintf(text, size, "%s %s", host,
			strncmp(address, "::ffff:", 7) == 0 ? address + 7 : address);
}

static void serve(int s, int kind)
{
	struct sockaddr_in6 client = {0};
	socklen_t size = sizeof(client);
	char text[256], in[4096], http[512];

	if (kind == UDP) {
		if (recvfrom(s, in, sizeof(in), 0, (struct sockaddr *)&client, &size) >= 0)
			sendto(s, text, (size_t)describe(&client, text, sizeof(text)), 0,
			       (struct sockaddr *)&client, size);
		return;
	}
	int c = accept(s, (struct sockaddr *)&client, &size);
	if (c < 0)
		return;
	int n = describe(&client, text, sizeof(text));
	struct pollfd asked = {.fd = c, .events = POLLIN};
	if (kind == TCP) {
		send(c, text, (size_t)n, MSG_NOSIGNAL);
	} else if (poll(&asked, 1, HTTP_WAIT_MS) > 0 && recv(c, in, sizeof(in), 0) > 0) {
		n = snprintf(http, sizeof(http), "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s",
			     n, text);
		send(c, http, (size_t)n, MSG_NOSIGNAL);
	}
	close(c);
}

int main(int argc, char **argv)
{
	struct pollfd sockets[MAX_SOCKETS];
	int kinds[MAX_SOCKETS], n = 0;

	signal(SIGINT, end);
	signal(SIGTERM, end);
	gethostname(host, sizeof(host) - 1);
	for (int i = 1; i < argc && n + 2 <= MAX_SOCKETS; i++) {
		int http = strncmp(argv[i], "http:", 5) == 0;
		int port = atoi(argv[i] + (http ? 5 : 0));
		for (int kind = UDP; kind <= TCP; kind++) {
			sockets[n] = (struct pollfd){
				.fd = listen_on(kind == UDP ? SOCK_DGRAM : SOCK_STREAM, port),
				.events = POLLIN,
			};
			kinds[n++] = kind == TCP && http ? HTTP : kind;
		}
	}
	printf("%s is ready\n", host);
	fflush(stdout);
	for (;;) {
		poll(sockets, (nfds_t)n, -1);
		for (int i = 0; i < n; i++)
			if (sockets[i].revents)
				serve(sockets[i].fd, kinds[i]);
	}
}
