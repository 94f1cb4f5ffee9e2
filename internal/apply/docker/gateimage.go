package docker

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
)

const (
	gateProgram = "/syncd-gate"
	gateUID     = 65534
	gateRepo    = "syncd-gate"
)

// gateImage returns the image of gates: the one that the host names, else one that
// is made of their program, once for its content, so that no registry is asked.
func (e *Engine) gateImage(ctx context.Context) (string, error) {
	if e.opts.GateImage != "" {
		return e.givenGate(ctx)
	}
	path, err := e.gateBinary()
	if err != nil {
		return "", err
	}
	sum, err := e.fits(ctx, path)
	if err != nil {
		return "", hosts(err)
	}
	name := gateRepo + ":" + sum[:12]
	if _, err := e.inspectImage(ctx, name); err == nil || !cerrdefs.IsNotFound(err) {
		return name, err
	}
	return name, e.importGate(ctx, path, name)
}

// gateBinary finds the gate's program.
func (e *Engine) gateBinary() (string, error) {
	if e.opts.GateProgram != "" {
		return e.opts.GateProgram, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find syncd's own program: %w", err)
	}
	path := filepath.Join(filepath.Dir(self), "syncd-gate")
	if _, err := os.Stat(path); err != nil {
		return "", hosts(rejected("install syncd-gate beside syncd, or name gate.image in syncd.yaml", "find the gate's program: %w", err))
	}
	return path, nil
}

// fits sees that a program can run in an empty image on this engine, and returns
// its hash.
func (e *Engine) fits(ctx context.Context, path string) (string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return "", rejected("build it with CGO_ENABLED=0", "read the gate's program %s: %w", path, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", rejected("build it with CGO_ENABLED=0", "the gate's program %s needs an interpreter, which an empty image has not", path)
		}
	}
	info, err := e.engineInfo(ctx)
	if err != nil {
		return "", err
	}
	if want, known := machines()[info.Architecture]; known && want.program != f.Machine {
		return "", rejected("install the syncd-gate of the engine's architecture",
			"the gate's program %s is for %s, and the engine runs on %s", path, f.Machine, info.Architecture)
	}
	return hashOf(path)
}

// machine is an architecture, as programs and as images name it.
type machine struct {
	program elf.Machine
	image   string
}

// machines are the architectures by the name that engines give them.
func machines() map[string]machine {
	return map[string]machine{
		"x86_64": {elf.EM_X86_64, "amd64"}, "aarch64": {elf.EM_AARCH64, "arm64"}, "armv7l": {elf.EM_ARM, "arm"},
		"riscv64": {elf.EM_RISCV, "riscv64"}, "ppc64le": {elf.EM_PPC64, "ppc64le"}, "s390x": {elf.EM_S390, "s390x"},
	}
}

func hashOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the gate's program: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("read the gate's program: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// importGate makes an image of the program and an empty directory for its table.
func (e *Engine) importGate(ctx context.Context, path, name string) error {
	reader, writer := io.Pipe()
	packed := make(chan struct{})
	go func() {
		defer close(packed)
		writer.CloseWithError(packGate(writer, path))
	}()
	defer func() { <-packed }()
	defer reader.Close()
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	changes := []string{`ENTRYPOINT ["` + gateProgram + `"]`, "LABEL " + labelVersion + "=" + strings.ReplaceAll(e.opts.Version, " ", "_")}
	answer, err := e.api.ImageImport(limited, image.ImportSource{Source: reader, SourceName: "-"}, name, image.ImportOptions{Changes: changes})
	if err != nil {
		return e.classify(ctx, "make the image of the gate", err)
	}
	_, err = io.Copy(io.Discard, answer)
	return errors.Join(err, answer.Close())
}

func packGate(w io.Writer, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	files := tar.NewWriter(w)
	return errors.Join(
		files.WriteHeader(&tar.Header{Name: strings.TrimPrefix(gateProgram, "/"), Mode: 0o755, Size: int64(len(raw))}),
		wrote(files.Write(raw)),
		files.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(gateDir, "/") + "/", Mode: 0o700, Uid: gateUID, Gid: gateUID}),
		files.Close())
}
