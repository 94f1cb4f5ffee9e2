package kubetest

import (
	"encoding/json"
	"fmt"
	"os"
)

// object is a piece of JSON; a kubeconfig may as well be that as YAML.
type object map[string]any

// writeKubeconfig writes a self-contained kubeconfig that says who is who by a
// certificate.
func writeKubeconfig(path, url string, authority []byte, who pair) error {
	content := object{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": "syncd-test",
		"clusters":        []object{{"name": "syncd-test", "cluster": object{"server": url, "certificate-authority-data": authority}}},
		"users":           []object{{"name": "user", "user": object{"client-certificate-data": who.cert, "client-key-data": who.key}}},
		"contexts":        []object{{"name": "syncd-test", "context": object{"cluster": "syncd-test", "user": "user"}}},
	}
	return writeJSON(path, content)
}

// writeJSON writes a file that only its owner reads: whole, or not at all.
func writeJSON(path string, content any) error {
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
