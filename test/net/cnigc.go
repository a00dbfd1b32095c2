// SPDX-License-Identifier: GPL-2.0-or-later

// cnigc runs libcni's GC for one network as a container runtime does; cnitool's own has no list.
//
//	CNI_PATH=... NETCONFPATH=... cnigc NETWORK [CONTAINER/IFNAME]...
//
// Without attachments the list is Go's empty one, which becomes null, as CRI-O sends it.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

func run(network string, valid []string) error {
	list, err := libcni.LoadConfList(os.Getenv("NETCONFPATH"), network)
	if err != nil {
		return err
	}
	args := &libcni.GCArgs{}
	for _, one := range valid {
		id, ifname, _ := strings.Cut(one, "/")
		args.ValidAttachments = append(args.ValidAttachments,
			types.GCAttachment{ContainerID: id, IfName: ifname})
	}
	config := libcni.NewCNIConfig([]string{os.Getenv("CNI_PATH")}, nil)
	return config.GCNetworkList(context.Background(), list, args)
}

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
