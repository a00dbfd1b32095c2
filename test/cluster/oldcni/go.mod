// The libraries by which containerd 1.7 calls CNI plugins.
module manx/test/cluster/oldcni

go 1.26.0

require github.com/containerd/go-cni v1.1.9

require github.com/containernetworking/cni v1.1.2 // indirect
