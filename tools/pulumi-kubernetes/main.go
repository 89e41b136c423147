// Command pulumi-resource-kubernetes is Pulumi's own Kubernetes provider, built from its library: the module's own
// command embeds files that are generated, and are not in the module.
package main

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// version is that of the SDK; the build sets it.
var version string

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var mapping []byte

func main() {
	// In the module, the schema has no version.
	versioned := fmt.Appendf(nil, "{%q: %q,", "version", version)
	provider.Serve("kubernetes", version, bytes.Replace(schema, []byte("{"), versioned, 1), mapping)
}
