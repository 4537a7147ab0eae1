package codegen

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const sharingViolation = syscall.Errno(32) // ERROR_SHARING_VIOLATION

// tryLock opens a file for the folder that no other process can open at the same time. It reports
// whether another one has it open.
func tryLock(root string) (unlock func(), isBusy bool) {
	sum := sha256.Sum256([]byte(strings.ToLower(root)))
	name, err := syscall.UTF16PtrFromString(filepath.Join(os.TempDir(), fmt.Sprintf("gatehouse-%x.lock", sum[:8])))
	if err != nil {
		return func() {}, false
	}
	const unshared = 0
	file, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, unshared, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return func() {}, errors.Is(err, sharingViolation)
	}
	return func() { _ = syscall.CloseHandle(file) }, false
}
