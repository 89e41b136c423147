// Asks KubeFed's validators about objects of ours, as its admission webhook would, and fills in its defaults.
package validation

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"sigs.k8s.io/kubefed/pkg/apis/core/v1beta1"
	"sigs.k8s.io/kubefed/pkg/apis/core/v1beta1/defaults"
)

type question struct {
	Kind   string
	Object json.RawMessage
	// Whether it is an update of the status.
	Status bool
	// What it was before, for an update.
	Old json.RawMessage
}

type answer struct {
	Errors    []fieldError
	Defaulted interface{} `json:",omitempty"`
}

func TestOracle(t *testing.T) {
	file, err := os.Open(os.Getenv("QUESTIONS"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	// Keeps these out of what KubeFed's own tests are recorded to do.
	depth++
	defer func() { depth-- }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			t.Fatal(err)
		}
		writeLine("ANSWERS", reply(asked))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// A validator that panics refuses, as the API server takes a webhook's failure for a refusal.
func reply(asked question) (said answer) {
	defer func() {
		if problem := recover(); problem != nil {
			said = answer{Errors: []fieldError{{"", fmt.Sprint(problem)}}}
		}
	}()
	var errors field.ErrorList
	switch asked.Kind {
	case "KubeFedCluster":
		object := &v1beta1.KubeFedCluster{}
		if err := json.Unmarshal(asked.Object, object); err != nil {
			return unreadable(err)
		}
		errors = ValidateKubeFedCluster(object, asked.Status)
	case "FederatedTypeConfig":
		object := &v1beta1.FederatedTypeConfig{}
		if err := json.Unmarshal(asked.Object, object); err != nil {
			return unreadable(err)
		}
		errors = ValidateFederatedTypeConfig(object, asked.Status)
	case "KubeFedConfig":
		object := &v1beta1.KubeFedConfig{}
		if err := json.Unmarshal(asked.Object, object); err != nil {
			return unreadable(err)
		}
		var old *v1beta1.KubeFedConfig
		if asked.Old != nil {
			old = &v1beta1.KubeFedConfig{}
			if err := json.Unmarshal(asked.Old, old); err != nil {
				panic(err)
			}
		}
		errors = ValidateKubeFedConfig(object, old)
		defaulted := object.DeepCopy()
		defaults.SetDefaultKubeFedConfig(defaulted)
		return answer{readableErrors(errors), defaulted}
	default:
		panic(asked.Kind)
	}
	return answer{Errors: readableErrors(errors)}
}

func unreadable(err error) answer {
	return answer{Errors: []fieldError{{"", err.Error()}}}
}
