// Prints the schema that kubefedctl gives to the type that federates one with spec.replicas.
package enable

import (
	"encoding/json"
	"os"
	"testing"

	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

func TestSchema(t *testing.T) {
	replicas := map[string]v1.JSONSchemaProps{"replicas": {Type: "integer", Format: "int32"}}
	schema := federatedTypeValidationSchema(map[string]v1.JSONSchemaProps{"spec": {Properties: replicas}})
	text, err := json.Marshal(schema.OpenAPIV3Schema)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("SCHEMA"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
