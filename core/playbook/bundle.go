package playbook

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Limits of a bundle.
const (
	MaxFiles      = 1000
	MaxFileBytes  = 4 << 20
	MaxTotalBytes = 16 << 20
)

// Files is a bundle as it is edited: the bytes of each file by its path inside the bundle, with
// forward slashes.
type Files map[string][]byte

// Revision returns the content hash of a bundle, 64 hexadecimal digits: SHA-256 over the files
// ordered by path, each as length and bytes of its path and of its content.
func Revision(files Files) string {
	sum := sha256.Sum256(appendFiles(nil, files))
	return hex.EncodeToString(sum[:])
}

// packed begins a packed bundle; the digit is the version of the format.
const packed = "leadmesh playbook 1\n"

// ErrPacked means that bytes are no packed bundle of a known version.
var ErrPacked = errors.New("not a packed playbook of a known version")

// Pack writes a bundle as bytes for storing and sending. The same files give the same bytes.
func Pack(files Files) []byte { return appendFiles([]byte(packed), files) }

// Unpack reads what Pack wrote. The files share the memory of b. Bytes that Pack would not have
// written are ErrPacked.
func Unpack(b []byte) (Files, error) {
	rest, ok := bytes.CutPrefix(b, []byte(packed))
	if !ok {
		return nil, ErrPacked
	}
	files := Files{}
	last := ""
	for len(rest) > 0 {
		var name, content []byte
		if name, rest, ok = cutField(rest); !ok {
			return nil, ErrPacked
		}
		if content, rest, ok = cutField(rest); !ok {
			return nil, ErrPacked
		}
		if len(files) > 0 && string(name) <= last {
			return nil, ErrPacked
		}
		last = string(name)
		files[last] = content
	}
	return files, nil
}

func appendFiles(dst []byte, files Files) []byte {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(name)))
		dst = append(dst, name...)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(files[name])))
		dst = append(dst, files[name]...)
	}
	return dst
}

func cutField(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := uint64(binary.BigEndian.Uint32(b))
	if n > uint64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+n : 4+n], b[4+n:], true
}

// checkFiles returns what is wrong with the bundle as a set of files.
func checkFiles(files Files) []Mistake {
	var out []Mistake
	if len(files) > MaxFiles {
		out = append(out, Mistake{Message: fmt.Sprintf("the bundle has %d files, at most %d are read", len(files), MaxFiles)})
	}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		size := len(files[name])
		total += size
		if size > MaxFileBytes {
			out = append(out, Mistake{File: name, Message: fmt.Sprintf("the file has %d bytes, at most %d are read", size, MaxFileBytes)})
		}
		if name == "" || len(name) > 200 || path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "..") || strings.Contains(name, `\`) {
			out = append(out, Mistake{File: name, Message: "a path is relative, clean and written with forward slashes"})
		}
	}
	if total > MaxTotalBytes {
		out = append(out, Mistake{Message: fmt.Sprintf("the bundle has %d bytes, at most %d are read", total, MaxTotalBytes)})
	}
	return out
}
