// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * instance.c - lock and folders of one agent.
 *
 * The lock is flock() on <run-dir>/manx.lock, held by an open descriptor: the kernel drops it when
 * the process ends in whatever way, so a stale one cannot exist.  The pid in the file is only
 * there for the message.  The file itself stays (removing a lock file while others may wait for it
 * lets two hold "the" lock); `manx cleanup` removes it.
 */
#include "agent/command/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/file_write.h"

/**
 * instance_lock_path() - Where the lock of a run folder is
 * @run_dir: Folder
 *
 * Return: path, heap memory
 */
char *instance_lock_path(const char *run_dir)
{
	return xasprintf("%s/manx.lock", run_dir);
}

/**
 * instance_socket_path() - Where plugin and command line reach the agent
 * @run_dir: Folder
 *
 * Return: path, heap memory
 */
char *instance_socket_path(const char *run_dir)
{
	return xasprintf("%s/cni.sock", run_dir);
}

/**
 * instance_last_ready_path() - Where it stands when the agent was last ready
 * @run_dir: Folder
 *
 * Return: path, heap memory
 */
char *instance_last_ready_path(const char *run_dir)
{
	return xasprintf("%s/" LAST_READY_NAME, run_dir);
}

/**
 * boottime_usec() - Time since the host was booted, suspended or not
 *
 * Return: CLOCK_BOOTTIME in microseconds
 */
uint64_t boottime_usec(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

/**
 * instance_journal_path() - Where the attachments are kept
 * @state_dir: Folder
 *
 * Return: path, heap memory
 */
char *instance_journal_path(const char *state_dir)
{
	return xasprintf("%s/attachments.journal", state_dir);
}

/**
 * instance_copies_path() - Where the last good versions of manifests are kept
 * @state_dir: Folder
 *
 * Return: path, heap memory
 */
char *instance_copies_path(const char *state_dir)
{
	return xasprintf("%s/manifests", state_dir);
}

/**
 * instance_create_dirs() - Create the folders that an agent writes to
 * @c:      Configuration
 * @reterr: Message with the path
 *
 * State and run folder are 0700, because whoever can reach the socket or the journal can give
 * addresses away; the CNI folders belong to everybody: 0755.
 *
 * Return: 0, -errno
 */
int instance_create_dirs(const struct config *c, struct err *reterr)
{
	int r = dir_create(c->run_dir, 0700, reterr);

	if (r == 0)
		r = dir_create(c->state_dir, 0700, reterr);
	if (r == 0)
		r = dir_create(c->cni_conf_dir, 0755, reterr);
	if (r == 0 && *c->cni_bin_dir)
		r = dir_create(c->cni_bin_dir, 0755, reterr);
	return r;
}

static int refuse(int fd, const char *run_dir, struct err *reterr)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	size_t digits;

	text[MAX(n, 0)] = '\0';
	digits = strspn(text, "0123456789");
	text[digits] = '\0';
	return err_set(reterr, -EBUSY,
		       "another agent (pid %s) uses %s; end it or give each its "
		       "own --run-dir and --state-dir",
		       digits > 0 ? text : "unknown", run_dir);
}

/* Written at the beginning, wherever an agent before us stopped writing. */
static int write_pid(int fd, const char *path, struct err *reterr)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return err_set(reterr, -errno, "%s: cannot write: %m", path);
	return 0;
}

/**
 * instance_lock() - Become the one agent of a run folder
 * @run_dir: Folder, exists
 * @ret_fd:  Descriptor that holds the lock until it is closed; untouched on failure
 * @reterr:  "another agent (pid N) uses /run/manx; ..."
 *
 * Return: 0; -EBUSY when another process holds it; -errno
 */
int instance_lock(const char *run_dir, int *ret_fd, struct err *reterr)
{
	_cleanup_(freep) char *path = instance_lock_path(run_dir);
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return err_set(reterr, -errno, "%s: cannot open: %m", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return refuse(fd, run_dir, reterr);
		return err_set(reterr, -errno, "%s: cannot lock: %m", path);
	}
	r = write_pid(fd, path, reterr);
	if (r == 0)
		*ret_fd = TAKE(fd, -1);
	return r;
}

/**
 * instance_inherit() - Become the one agent of a run folder by the lock of the one before
 * @run_dir: Folder, exists
 * @fd:      Descriptor that holds the lock, borrowed
 * @reterr:  Message
 *
 * Return: 0; -ESTALE if it is not the lock of this folder; -errno
 */
int instance_inherit(const char *run_dir, int fd, struct err *reterr)
{
	_cleanup_(freep) char *path = instance_lock_path(run_dir);
	struct stat here, there;

	if (fstat(fd, &here) < 0 || lstat(path, &there) < 0)
		return err_set(reterr, -errno, "%s: %m", path);
	if (here.st_dev != there.st_dev || here.st_ino != there.st_ino)
		return err_set(reterr, -ESTALE, "%s: not the file that was handed over", path);
	return write_pid(fd, path, reterr);
}

/**
 * boot_id_read() - Tell this boot of the host from the others
 * @ret:    36 characters and NUL; untouched on failure
 * @reterr: Message
 *
 * Source: Documentation/admin-guide/sysctl/kernel.rst, random.
 *
 * Return: 0; -EINVAL when the file is not as documented; -errno
 */
int boot_id_read(char ret[static BOOT_ID_LEN + 1], struct err *reterr)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	struct buf text = {0};
	int r = file_load(path, 64, &text, reterr);

	if (r == 0 && strcspn(text.data, "\n") != BOOT_ID_LEN)
		r = err_set(reterr, -EINVAL, "%s: not a boot id", path);
	if (r == 0) {
		memcpy(ret, text.data, BOOT_ID_LEN);
		ret[BOOT_ID_LEN] = '\0';
	}
	buf_done(&text);
	return r;
}
