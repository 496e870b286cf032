#!/usr/bin/env bash
# What must hold before a change lands, tests apart: generated code is what the protos and the SQL
# give, the API breaks nobody, lint is clean, modules are tidy, and the walls between them stand.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.bin:$PATH" GOFLAGS=-buildvcs=false
fail=0
step() { printf '== %s\n' "$*"; }
check() { step "$1"; shift; if ! "$@"; then echo "   not clean" >&2; fail=1; fi; }

same() { # generated folders equal what generating gives
  local before after
  before=$(git ls-files -s --others --exclude-standard "$@" | git hash-object --stdin; find "$@" -type f -exec sha256sum {} + | sort | sha256sum)
  buf generate && (cd services && sqlc generate)
  after=$(git ls-files -s --others --exclude-standard "$@" | git hash-object --stdin; find "$@" -type f -exec sha256sum {} + | sort | sha256sum)
  [ "$before" = "$after" ]
}
tidy() { local m; for m in core gen services deploy/sample deploy/watch; do (cd "$m" && GOWORK=off go mod tidy -diff) || return 1; done; }
lint() { local m; for m in core services deploy/sample; do (cd "$m" && golangci-lint run ./...) || return 1; done; }
alone() { local m; for m in core gen services deploy/sample; do (cd "$m" && GOWORK=off go build ./...) || return 1; done; }
walls() { # core names no transport, database or telemetry; gen pulls grpc, protobuf and the gateway only
  ! grep -qE 'google.golang.org/grpc |jackc/pgx|opentelemetry' core/go.mod || return 1
  local extra
  extra=$(cd gen && GOWORK=off go list -deps ./... | grep -E '^[a-z0-9-]+\.[a-z]' |
    grep -vE '^(github.com/leadmesh/leadmesh/gen|google.golang.org/(grpc|protobuf|genproto)|github.com/grpc-ecosystem/grpc-gateway/v2|golang.org/x/(net|sys|text)|go.yaml.in/yaml/v3)' || true)
  if [ -n "$extra" ]; then echo "gen pulls: $extra" >&2; return 1; fi
  local s
  for s in capture identity scoring routing feedback; do # a service never imports another
    if (cd services && go list -deps "./$s/...") | grep -E '^github.com/leadmesh/leadmesh/services/(capture|identity|scoring|routing|feedback)(/|$)' | grep -vE "/services/$s(/|\$)"; then return 1; fi
  done
  ! (cd services && go list -deps ./gateway/...) | grep -E '^github.com/leadmesh/leadmesh/services/(capture|identity|scoring|routing|feedback)(/|$)'
}

check "generated code" same gen/go gen/openapi services/*/internal/postgres/db
check "buf lint" buf lint
check "buf format" buf format -d --exit-code
check "buf breaking" buf breaking --against gen/baseline.binpb
check "go vet" go vet ./core/... ./gen/... ./services/... ./deploy/sample/...
check "golangci-lint" lint
check "modules are tidy" tidy
check "modules build alone" alone
check "module walls" walls
exit $fail
