/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample_journal.h - a journal in a folder of its own, for the tests of it.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipam/journal_internal.h"
#include "test/unit/sample_attachment.h"

#define BOOT	   "8d0b3bd4-58d5-4e7e-9d3c-2f9e3f0d1c11"
#define OTHER_BOOT "11111111-2222-3333-4444-555555555555"

/* A folder for each test, removed with what is in it. */
static char folder[64];
static char path[96];

static inline int make_folder_in(const char *parent)
{
	(void)snprintf(folder, sizeof(folder), "%s/manx-journal-XXXXXX", parent);
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/journal", folder);
	return 0;
}

static inline int make_folder_on_disk(void **state _unused_)
{
	return make_folder_in("/tmp");
}

/* In memory where that can be: some tests open and sync thousands of times. */
static inline int make_folder(void **state _unused_)
{
	return make_folder_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static inline int remove_folder(void **state _unused_)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_(freep) char *name = xasprintf("%s/%s", folder, e->d_name);

		if (e->d_name[0] != '.')
			(void)remove(name);
	}
	if (d)
		closedir(d);
	return rmdir(folder);
}

static inline void journal_cleanup(struct journal **j)
{
	(void)journal_close(*j);
}

static inline struct journal *open_boot(const char *boot_id, struct journal_report *ret)
{
	struct journal *j = NULL;
	struct err e = {0};

	if (journal_open(path, boot_id, &j, ret, &e) < 0)
		fail_msg("%s", e.msg);
	return j;
}

static inline struct journal *open_it(void)
{
	struct journal_report report;

	return open_boot(BOOT, &report);
}

static inline int put(struct journal *j, unsigned int n)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);
	uint64_t seq;

	return journal_put(j, a, &seq, NULL);
}

static inline int drop(struct journal *j, unsigned int n)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);
	uint64_t seq;

	return journal_remove(j, a->id, a->ifname, &seq, NULL);
}

static inline bool has(const struct journal *j, unsigned int n)
{
	_cleanup_(attachment_freep) struct attachment *a = sample_attachment(n);
	const struct attachment *found = journal_find(j, a->id, a->ifname);

	if (found)
		assert_true(same_attachment(a, found));
	return found;
}

static inline struct buf content_of(const char *name)
{
	_cleanup_(closep) int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct buf b = {0};
	char chunk[4096];
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_put(&b, chunk, (size_t)n);
	return b;
}

static inline void write_content(const char *data, size_t len)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
}

static inline bool exists(const char *suffix)
{
	_cleanup_(freep) char *name = xasprintf("%s%s", path, suffix);

	return access(name, F_OK) == 0;
}

static inline off_t size_of(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}
