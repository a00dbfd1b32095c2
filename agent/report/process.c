// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * process.c - figures of this process, under the names that every Prometheus client uses.
 *
 * Reads /proc/self/stat, /proc/self/fd and /proc/stat: about 100 us, only when somebody asks.
 */
#include "agent/report/process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/report/metrics.h"
#include "lib/file.h"

#define PROC_FILE_MAX (1u << 20)

/**
 * process_name() - Name of a process, as far as it still runs
 * @pid: Process
 * @ret: Its name, "unknown"
 */
void process_name(uint32_t pid, char ret[static 32])
{
	_cleanup_(freep) char *path = xasprintf("/proc/%u/comm", pid);
	struct buf text = {0};

	(void)snprintf(ret, 32, "unknown");
	if (file_load(path, 64, &text, NULL) == 0 && text.len > 1)
		(void)snprintf(ret, 32, "%.*s", (int)strcspn(text.data, "\n"), text.data);
	buf_done(&text);
}

static int count_fds(uint64_t *ret)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!dir)
		return -errno;
	for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
		n += e->d_name[0] != '.';
	(void)closedir(dir);
	*ret = n - 1; /* without the one that listed them */
	return 0;
}

/* Seconds since 1970 at which the host started: "btime" of /proc/stat. */
static int read_boot_time(double *ret)
{
	struct buf text = {0};
	int r = file_load("/proc/stat", PROC_FILE_MAX, &text, NULL);
	const char *line = r == 0 ? strstr(text.data, "\nbtime ") : NULL;

	if (line)
		*ret = strtod(line + strlen("\nbtime "), NULL);
	buf_done(&text);
	return line ? 0 : r < 0 ? r : -ENODATA;
}

/* Fields 14, 15, 22, 23, 24 of proc(5) /proc/pid/stat; the name in field 2 may hold anything. */
static int read_stat(struct process_stats *p)
{
	double tick = (double)sysconf(_SC_CLK_TCK);
	unsigned long long user, system, start, vsize;
	struct buf text = {0};
	const char *after_name;
	long long resident;
	int n = 0, r = file_load("/proc/self/stat", 4096, &text, NULL);

	if (r == 0) {
		after_name = strrchr(text.data, ')');
		if (after_name)
			n = sscanf(after_name + 1,
				   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d "
				   "%*d %*d %*d %*d %llu %llu %lld",
				   &user, &system, &start, &vsize, &resident);
		r = n == 5 ? 0 : -ENODATA;
	}
	buf_done(&text);
	if (r < 0)
		return r;
	p->cpu_seconds = (double)(user + system) / tick;
	p->start_seconds = (double)start / tick;
	p->virtual_bytes = vsize;
	p->resident_bytes = (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

/**
 * process_read() - Read the figures
 * @ret: Figures; untouched on failure
 *
 * Return: 0; -ENODATA when /proc is not as documented; -errno
 */
int process_read(struct process_stats *ret)
{
	struct process_stats p = {0};
	struct rlimit limit;
	double boot = 0;
	int r = read_stat(&p);

	if (r == 0)
		r = read_boot_time(&boot);
	if (r == 0)
		r = count_fds(&p.open_fds);
	if (r < 0)
		return r;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	p.max_fds = limit.rlim_cur;
	p.start_seconds += boot;
	*ret = p;
	return 0;
}

/**
 * process_metrics() - Write the figures as metrics
 * @p:   Figures
 * @out: Where to
 *
 * Source: Prometheus "Writing client libraries", section "Process metrics".
 */
void process_metrics(const struct process_stats *p, struct buf *out)
{
	metric_head(out, "process_cpu_seconds_total", METRIC_COUNTER,
		    "User and system CPU time spent, in seconds.");
	metric_value(out, "process_cpu_seconds_total", NULL, p->cpu_seconds);
	metric_head(out, "process_resident_memory_bytes", METRIC_GAUGE,
		    "Resident memory, in bytes.");
	metric_count(out, "process_resident_memory_bytes", NULL, p->resident_bytes);
	metric_head(out, "process_virtual_memory_bytes", METRIC_GAUGE, "Virtual memory, in bytes.");
	metric_count(out, "process_virtual_memory_bytes", NULL, p->virtual_bytes);
	metric_head(out, "process_open_fds", METRIC_GAUGE, "Open file descriptors.");
	metric_count(out, "process_open_fds", NULL, p->open_fds);
	metric_head(out, "process_max_fds", METRIC_GAUGE, "Most file descriptors allowed.");
	metric_count(out, "process_max_fds", NULL, p->max_fds);
	metric_head(out, "process_start_time_seconds", METRIC_GAUGE,
		    "Start of the process, in seconds since 1970.");
	metric_value(out, "process_start_time_seconds", NULL, p->start_seconds);
}
