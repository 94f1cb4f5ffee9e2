package state

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"syncd.io/syncd/internal/blob"
)

// chunkSize is how much one blob holds, in bytes: a Secret may hold 1 MiB.
const chunkSize = 900 << 10

// chunkedVersion is the first byte of a pointer that names its chunks; one that
// holds its content begins with sealVersion.
const chunkedVersion = 2

const chunkPrefix = "syncd-chunk-"

// split returns the pointer to a sealed content: that itself where it is smaller
// than size, else the names of chunks of that size, each named by what it holds,
// so that it can neither be taken for another nor change.
func split(sealed []byte, size int) (pointer []byte, chunks []blob.Blob) {
	if len(sealed) < size {
		return sealed, nil
	}
	pointer = []byte{chunkedVersion}
	for len(sealed) > 0 {
		n := min(len(sealed), size)
		chunk := blob.Blob{Name: chunkName(sealed[:n]), Part: chunkPart, Data: sealed[:n], Fixed: true}
		pointer, chunks, sealed = append(pointer, chunk.Name+"\n"...), append(chunks, chunk), sealed[n:]
	}
	return pointer, chunks
}

func chunkName(data []byte) string {
	sum := sha256.Sum256(data)
	return chunkPrefix + hex.EncodeToString(sum[:20])
}

// needs returns the names of the chunks that a pointer needs.
func needs(pointer []byte) []string {
	if len(pointer) == 0 || pointer[0] != chunkedVersion {
		return nil
	}
	return strings.Fields(string(pointer[1:]))
}

// join is the opposite of split: nil where a chunk is missing.
func join(pointer []byte, chunks map[string]blob.Blob) []byte {
	names := needs(pointer)
	if len(names) == 0 {
		return pointer
	}
	var sealed []byte
	for _, name := range names {
		chunk, here := chunks[name]
		if !here {
			return nil
		}
		sealed = append(sealed, chunk.Data...)
	}
	return sealed
}
