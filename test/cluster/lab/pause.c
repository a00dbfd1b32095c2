/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The container that a pod's sandbox is: it waits, collects orphans where it is the first process
 * of all the pod's containers, and ends when it is asked to.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int sig)
{
	(void)sig;
	_exit(EXIT_SUCCESS);
}

static void collect(int sig)
{
	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(void)
{
	signal(SIGINT, end);
	signal(SIGTERM, end);
	signal(SIGCHLD, collect);
	for (;;)
		pause();
}
