// SPDX-License-Identifier: GPL-2.0-or-later

// oldcni calls CNI plugins as the CRI part of containerd 1.7 does: through go-cni and libcni 1.1.2,
// with the options of its sandbox_run.go and sandbox_stop.go.  containerd 1.6, of Debian 12, has the
// same libraries.
//
//	oldcni add|del ID NETNS NAMESPACE NAME UID [HOSTPORT:CONTAINERPORT/PROTOCOL[@HOSTIP]...]
//	oldcni ready
//
// Plugins are those in /opt/cni/bin, lists those in /etc/cni/net.d.  add prints a line for each address;
// an error goes to stderr, exit 1.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	cni "github.com/containerd/go-cni"
)

func portMapping(text string) (cni.PortMapping, error) {
	var m cni.PortMapping
	text, m.HostIP, _ = strings.Cut(text, "@")
	ports, protocol, _ := strings.Cut(text, "/")
	host, container, _ := strings.Cut(ports, ":")
	h, err := strconv.Atoi(host)
	if err != nil {
		return m, err
	}
	c, err := strconv.Atoi(container)
	if err != nil {
		return m, err
	}
	m.HostPort, m.ContainerPort, m.Protocol = int32(h), int32(c), protocol
	return m, nil
}

func options(namespace, name, uid, id string, ports []string) ([]cni.NamespaceOpts, error) {
	opts := []cni.NamespaceOpts{cni.WithLabels(map[string]string{
		"K8S_POD_NAMESPACE":          namespace,
		"K8S_POD_NAME":               name,
		"K8S_POD_INFRA_CONTAINER_ID": id,
		"K8S_POD_UID":                uid,
		"IgnoreUnknown":              "1",
	}), cni.WithCapability("io.kubernetes.cri.pod-annotations", map[string]string{})}
	var mappings []cni.PortMapping
	for _, text := range ports {
		m, err := portMapping(text)
		if err != nil {
			return nil, err
		}
		mappings = append(mappings, m)
	}
	if len(mappings) > 0 {
		opts = append(opts, cni.WithCapabilityPortMap(mappings))
	}
	return append(opts, cni.WithCapabilityCgroupPath("/kubepods/besteffort/pod"+uid)), nil
}

func run(args []string) error {
	plugins, err := cni.New(cni.WithMinNetworkCount(2), cni.WithPluginConfDir("/etc/cni/net.d"),
		cni.WithPluginMaxConfNum(1), cni.WithPluginDir([]string{"/opt/cni/bin"}))
	if err != nil {
		return err
	}
	if err := plugins.Load(cni.WithLoNetwork, cni.WithDefaultConf); err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "ready" {
		return plugins.Status()
	}
	if len(args) < 6 {
		return fmt.Errorf("usage: oldcni add|del ID NETNS NAMESPACE NAME UID [PORTS...]")
	}
	id, netns := args[1], args[2]
	opts, err := options(args[3], args[4], args[5], id, args[6:])
	if err != nil {
		return err
	}
	if args[0] == "del" {
		return plugins.Remove(context.Background(), id, netns, opts...)
	}
	result, err := plugins.Setup(context.Background(), id, netns, opts...)
	if err != nil {
		return err
	}
	for _, config := range result.Interfaces["eth0"].IPConfigs {
		fmt.Println(config.IP)
	}
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
