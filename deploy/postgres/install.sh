#!/usr/bin/env bash
# Makes sure PostgreSQL's server binaries are there: leadmesh runs a private server with them.
# Nothing is done where a server of version 13 or later is found. On Debian and its like no system
# cluster is made and no service is started.
set -euo pipefail

major() { "$1/postgres" --version 2>/dev/null | sed -E 's/^[^0-9]*([0-9]+).*/\1/'; }
fits() { [ -x "$1/postgres" ] && [ -x "$1/initdb" ] && [ "$(major "$1")" -ge 13 ]; }

candidates=()
command -v pg_config >/dev/null 2>&1 && candidates+=("$(pg_config --bindir 2>/dev/null || true)")
candidates+=(/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin /usr/local/pgsql/bin)
if p=$(command -v postgres 2>/dev/null); then candidates+=("$(dirname "$(readlink -f "$p")")"); fi
for dir in "${candidates[@]}"; do
  if [ -n "$dir" ] && fits "$dir"; then exit 0; fi
done

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "PostgreSQL's server binaries are missing and only root can install them. As root run:" >&2
    echo "  apt-get install postgresql   (or: dnf install postgresql-server, brew install postgresql)" >&2
    exit 1
  fi
  sudo=(sudo)
fi
if command -v apt-get >/dev/null 2>&1; then
  echo "installing PostgreSQL's server binaries (no system cluster is made)"
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${sudo[@]}" mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | "${sudo[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
elif command -v dnf >/dev/null 2>&1; then
  "${sudo[@]}" dnf install -y -q postgresql-server
elif command -v brew >/dev/null 2>&1; then
  brew install postgresql
else
  echo "PostgreSQL's server binaries (13 or later) are missing; install them, or name them with --pg-bin" >&2
  exit 1
fi
