// Records what KubeFed's own tests pass to its validators, and what these say.
package validation

import (
	"encoding/json"
	"os"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

type recorded struct {
	Function  string
	Arguments []interface{}
	Errors    []fieldError
}

type fieldError struct{ Field, Text string }

// Validators call one another; only the call that a test makes is a case.
var depth int

func record(function string, errors *field.ErrorList, arguments ...interface{}) func() {
	depth++
	text, err := json.Marshal(readable(arguments))
	if err != nil {
		panic(err)
	}
	return func() {
		depth--
		if depth == 0 {
			writeLine("RECORDS", recorded{function, decoded(text), readableErrors(*errors)})
		}
	}
}

// A path has no JSON of its own.
func readable(arguments []interface{}) []interface{} {
	var all []interface{}
	for _, argument := range arguments {
		if path, ok := argument.(*field.Path); ok {
			argument = path.String()
		}
		all = append(all, argument)
	}
	return all
}

func decoded(text []byte) []interface{} {
	var all []interface{}
	if err := json.Unmarshal(text, &all); err != nil {
		panic(err)
	}
	return all
}

func readableErrors(errors field.ErrorList) []fieldError {
	all := []fieldError{}
	for _, each := range errors {
		all = append(all, fieldError{each.Field, each.Error()})
	}
	return all
}

// writeLine appends a line of JSON to the file that an environment variable names.
func writeLine(variable string, value interface{}) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	file, err := os.OpenFile(os.Getenv(variable), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := file.Write(append(text, '\n')); err != nil {
		panic(err)
	}
}
