// Command sdks drives a box with the Go SDKs of the vendors whose wire formats
// it speaks, unchanged. It is one of the suites of compat.mjs, which starts the
// box and tells in the environment where it is.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	var given given
	if err := json.Unmarshal([]byte(os.Getenv("COMPAT")), &given); err != nil {
		fmt.Fprintln(os.Stderr, "this is run by compat.mjs:", err)
		os.Exit(2)
	}
	ctx := context.Background()
	ring := &ring{next: given.First, handset: given.Handset}
	runDescope(ctx, &suite{sdk: "descope/go-sdk", ring: ring}, given)
	runTwilio(&suite{sdk: "twilio-go", ring: ring}, given)
}
