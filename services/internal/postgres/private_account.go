package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// account is whom the server runs as when leadmesh is root; PostgreSQL refuses
// to be root. A nil account is the process's own.
type account struct {
	uid, gid uint32
	groups   []uint32
}

func lookUpAccount(name string) (*account, error) {
	found, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("leadmesh runs as root and PostgreSQL must not: it needs the account %s (%w); "+
			"packages of PostgreSQL make it, or: useradd --system --no-create-home %s", name, err, name)
	}
	return newAccount(found)
}

func newAccount(u *user.User) (*account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", u.Username, err)
	}
	if uid == 0 {
		return nil, fmt.Errorf("account %s is root, as whom PostgreSQL refuses to run", u.Username)
	}
	a := &account{uid: uint32(uid), gid: uint32(gid)}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("groups of account %s: %w", u.Username, err)
	}
	for _, id := range ids {
		group, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("groups of account %s: %w", u.Username, err)
		}
		a.groups = append(a.groups, uint32(group))
	}
	return a, nil
}

// command prepares a program to run as the account, in a session of its own
// and with an environment that holds nothing of the caller's settings for
// PostgreSQL.
func (a *account) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	// The caller's folder may be closed to the account.
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	for _, name := range []string{"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}
	}
	return cmd
}

// own gives a file or folder to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// reaches reports whether the account can enter dir. It goes there and sees,
// which accounts for access lists and mount options as well as for modes.
func (a *account) reaches(ctx context.Context, dir, binDir string) (bool, error) {
	bin, err := findBinaries(ctx, binDir, 0)
	if err != nil {
		return false, err
	}
	cmd := a.command(bin.postgres, "--version")
	cmd.Dir = dir
	if _, err := run(ctx, cmd); err == nil {
		return true, nil
	}
	// The same elsewhere tells a closed folder from a closed program.
	if out, err := run(ctx, a.command(bin.postgres, "--version")); err != nil {
		return false, fmt.Errorf("the server's account cannot run %s: %w: %s", bin.postgres, err, tail(out))
	}
	return false, nil
}

// run runs a short program to its end or until ctx ends, and returns all it
// wrote.
func run(ctx context.Context, cmd *exec.Cmd) (string, error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() {
		// Its whole group: initdb works through children.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	err := cmd.Wait()
	if !stop() {
		err = errors.Join(ctx.Err(), err)
	}
	return out.String(), err
}

func tail(text string) string {
	const most = 1000
	text = strings.TrimSpace(text)
	return text[max(0, len(text)-most):]
}
