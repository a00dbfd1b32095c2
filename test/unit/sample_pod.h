/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample_pod.h - pods out of short texts, for tests.  Include after <cmocka.h>.
 *
 * Labels are those of sample_labels.h, addresses words like "10.0.0.1 fd00::1", named ports words
 * like "tcp:http=80 udp:dns=53"; each may be "".
 */
#pragma once

#include "test/unit/sample_labels.h"
#include "watch/object/pod.h"

static inline void sample_pod_ports(struct pod *pod, const char *text)
{
	_cleanup_(freep) char *copy = xstrdup(text);
	char *rest = copy, *word;

	pod->ports = xcalloc(SAMPLE_WORDS, sizeof(*pod->ports));
	while ((word = sample_word(&rest, " "))) {
		char *value = strchr(word, '=');

		assert_true(value && pod->n_ports < SAMPLE_WORDS);
		*value++ = '\0';
		pod->ports[pod->n_ports++] = (struct container_port){
			.name = intern(word + strlen("tcp:")),
			.protocol = *word == 't' ? PROTO_TCP : PROTO_UDP,
			.port = (uint16_t)strtoul(value, NULL, 10),
		};
	}
}

static inline void sample_pod_ips(struct pod *pod, const char *text)
{
	_cleanup_(freep) char *copy = xstrdup(text);
	char *rest = copy, *word;

	while ((word = sample_word(&rest, " "))) {
		assert_true(pod->n_ips < ARRAY_SIZE(pod->ips));
		assert_int_equal(addr_parse(word, &pod->ips[pod->n_ips++]), 0);
	}
}

static inline struct pod *sample_pod(const char *ns, const char *labels, const char *ips,
				     const char *ports)
{
	struct pod *pod = xcalloc(1, sizeof(*pod));

	pod->o = (struct object){.kind = KIND_POD, .ns = intern(ns), .name = intern("pod")};
	pod->labels = sample_labels(labels);
	sample_pod_ips(pod, ips);
	sample_pod_ports(pod, ports);
	return pod;
}
