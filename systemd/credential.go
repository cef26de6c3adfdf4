package systemd

import "path/filepath"

// Credential returns where the service manager has put a credential of this name
// for the service, "" if it keeps none. env looks up the environment. There may be
// no such file: the unit says which credentials there are.
func Credential(env func(string) string, name string) string {
	if held := env("CREDENTIALS_DIRECTORY"); held != "" {
		return filepath.Join(held, name)
	}
	return ""
}
