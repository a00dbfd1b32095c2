// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * killer.c - run a program and kill it, as by kill -9, at the Nth of its system calls that matter.
 *
 *   killer --at N [--after] [--files] --report FILE PROGRAM ARGUMENT...
 *
 * Counted over all threads, in the order in which they are entered: changes of files (those at
 * standard input, output and error are left out), and what is sent and received through netlink
 * and Unix sockets; with --files the former alone.  The kill comes before the call is carried out,
 * with --after when it has been and before the program knows.  A receiving call changes nothing
 * outside: with --after it is passed over.
 *
 * The report is written before the kill: the number, "before" or "after" ("passed"), the call's
 * name; without a report there was no Nth call.  --at 0 kills never and reports every call.
 *
 * The program keeps the process that was started: its owner may signal it and wait for it.  The
 * tracer is an orphan and ends with it.  A seccomp filter stops the calls of the table below and
 * no others, so the program is about as fast as ever.  Limit: x86_64 and aarch64, whose tracer
 * does not look at 32-bit calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"

/* What makes a call count: always; opening to write; a file behind its descriptor; a socket. */
enum matters { ALWAYS, OPENS, FILE_AT_0, SENDS_AT_0, RECEIVES_AT_0 };

static const struct traced {
	const char *name;
	int number;
	enum matters matters;
} calls[] = {
	{"openat", SYS_openat, OPENS},
	{"write", SYS_write, FILE_AT_0},
	{"pwrite64", SYS_pwrite64, FILE_AT_0},
	{"copy_file_range", SYS_copy_file_range, ALWAYS},
	{"sendfile", SYS_sendfile, ALWAYS},
	{"ftruncate", SYS_ftruncate, ALWAYS},
	{"fchmod", SYS_fchmod, ALWAYS},
	{"flock", SYS_flock, ALWAYS},
	{"fsync", SYS_fsync, ALWAYS},
	{"fdatasync", SYS_fdatasync, ALWAYS},
	{"renameat", SYS_renameat, ALWAYS},
	{"renameat2", SYS_renameat2, ALWAYS},
	{"linkat", SYS_linkat, ALWAYS},
	{"unlinkat", SYS_unlinkat, ALWAYS},
#ifdef SYS_rename /* older architectures */
	{"rename", SYS_rename, ALWAYS},
	{"link", SYS_link, ALWAYS},
	{"unlink", SYS_unlink, ALWAYS},
#endif
	{"bind", SYS_bind, SENDS_AT_0},
	{"listen", SYS_listen, SENDS_AT_0},
	{"sendto", SYS_sendto, SENDS_AT_0},
	{"sendmsg", SYS_sendmsg, SENDS_AT_0},
	{"recvfrom", SYS_recvfrom, RECEIVES_AT_0},
	{"recvmsg", SYS_recvmsg, RECEIVES_AT_0},
};

/*
 * struct killer - the tracer
 * @at:     Number of the call to kill at; 0: none
 * @pid:    The program, and @pidfd a descriptor of it
 * @thread: That is inside call @at and to be killed when it comes out; 0: none
 */
struct killer {
	unsigned long at, count;
	bool after, files;
	const char *report;
	pid_t pid, thread;
	int pidfd;
};

_Noreturn static void die(const char *what)
{
	(void)fprintf(stderr, "killer: %s: %s\n", what, strerror(errno));
	_exit(EXIT_FAILURE);
}

/* --- which calls count ----------------------------------------------------------------------- */

static bool is_socket_that_counts(const struct killer *k, int number)
{
	int fd = (int)syscall(SYS_pidfd_getfd, k->pidfd, number, 0), domain = -1;
	socklen_t len = sizeof(domain);

	if (fd < 0)
		return false;
	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	close(fd);
	return domain == AF_NETLINK || domain == AF_UNIX;
}

static bool is_file(const struct killer *k, int number)
{
	_cleanup_(freep) char *path = xasprintf("/proc/%d/fd/%d", (int)k->pid, number);
	struct stat st;

	return number > STDERR_FILENO && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool counts(const struct killer *k, const struct traced *t, const uint64_t args[6])
{
	switch (t->matters) {
	case ALWAYS:
		return true;
	case OPENS:
		return args[2] & (O_WRONLY | O_RDWR | O_CREAT);
	case FILE_AT_0:
		return is_file(k, (int)args[0]);
	case SENDS_AT_0:
	case RECEIVES_AT_0:
		return !k->files && is_socket_that_counts(k, (int)args[0]);
	}
	return false;
}

static const struct traced *find_call(uint64_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if ((uint64_t)calls[i].number == number)
			return &calls[i];
	return NULL;
}

/* --- the kill -------------------------------------------------------------------------------- */

static void report(const struct killer *k, const char *when, const char *name)
{
	_cleanup_(freep) char *line = xasprintf("%lu %s %s\n", k->count, when, name);
	int fd = open(k->report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		die(k->report);
	close(fd);
}

/* Call @at is about to be entered: how is the thread to go on? */
static int on_the_call(struct killer *k, const struct traced *t, pid_t thread)
{
	bool pass = k->after && t->matters == RECEIVES_AT_0;

	report(k, pass ? "passed" : k->after ? "after" : "before", t->name);
	if (k->after && !pass)
		k->thread = thread;
	else if (!pass)
		(void)kill(k->pid, SIGKILL);
	return k->thread ? PTRACE_SYSCALL : PTRACE_CONT;
}

static int on_call(struct killer *k, pid_t thread)
{
	struct __ptrace_syscall_info info = {0};
	const struct traced *t;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) < 0)
		return PTRACE_CONT;
	t = find_call(info.seccomp.nr);
	if (!t || !counts(k, t, info.seccomp.args))
		return PTRACE_CONT;
	k->count++;
	if (k->at == 0)
		report(k, "call", t->name);
	return k->count == k->at ? on_the_call(k, t, thread) : PTRACE_CONT;
}

static void on_stop(struct killer *k, pid_t thread, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16, go_on = PTRACE_CONT;

	if (event == PTRACE_EVENT_SECCOMP) {
		go_on = on_call(k, thread);
		sig = 0;
	} else if (event || sig == SIGTRAP) {
		sig = 0; /* a new thread, the program's start */
	} else if (sig == (SIGTRAP | 0x80)) {
		if (thread == k->thread)
			(void)kill(k->pid, SIGKILL);
		sig = 0;
	}
	(void)ptrace((enum __ptrace_request)go_on, thread, NULL, sig);
}

_Noreturn static void trace(struct killer *k, int ready)
{
	int status;
	pid_t thread;

	k->pidfd = (int)syscall(SYS_pidfd_open, k->pid, 0);
	if (k->pidfd < 0 || ptrace(PTRACE_SEIZE, k->pid, NULL,
				   PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE |
					   PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		die("tracing");
	if (write(ready, "", 1) != 1)
		die("pipe");
	close(ready);
	while ((thread = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR)
		if (thread > 0 && WIFSTOPPED(status))
			on_stop(k, thread, status);
	_exit(EXIT_SUCCESS);
}

/* --- the program ----------------------------------------------------------------------------- */

static void install_filter(void)
{
	struct sock_filter code[ARRAY_SIZE(calls) + 3];
	struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
	size_t n = ARRAY_SIZE(calls);

	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < n; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (__u32)calls[i].number, (__u8)(n - i), 0);
	code[n + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		die("seccomp");
}

/* The tracer is a grandchild whose parent is gone: the program has no child it knows nothing of. */
static void start_tracer(struct killer *k)
{
	int ready[2];
	pid_t child;
	char c;

	if (pipe2(ready, O_CLOEXEC) < 0)
		die("pipe");
	k->pid = getpid();
	child = fork();
	if (child == 0) {
		if (fork() == 0)
			trace(k, ready[1]);
		_exit(EXIT_SUCCESS);
	}
	close(ready[1]);
	if (child < 0 || waitpid(child, NULL, 0) < 0 || read(ready[0], &c, 1) != 1)
		die("starting the tracer");
	close(ready[0]);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"at", required_argument, NULL, 'n'},
						{"after", no_argument, NULL, 'a'},
						{"files", no_argument, NULL, 'f'},
						{"report", required_argument, NULL, 'r'},
						{0}};
	struct killer k = {.pidfd = -1};
	int o;

	while ((o = getopt_long(argc, argv, "+", options, NULL)) >= 0) {
		if (o == 'n')
			k.at = strtoul(optarg, NULL, 10);
		else if (o == 'a')
			k.after = true;
		else if (o == 'f')
			k.files = true;
		else if (o == 'r')
			k.report = optarg;
		else
			return EXIT_FAILURE;
	}
	if (!k.report || optind == argc) {
		(void)fprintf(stderr, "usage: killer --at N [--after] [--files] --report FILE "
				      "PROGRAM ARGUMENT...\n");
		return EXIT_FAILURE;
	}
	start_tracer(&k);
	install_filter();
	(void)execv(argv[optind], &argv[optind]);
	die(argv[optind]);
}
