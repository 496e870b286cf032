#!/usr/bin/env bash
# Fuzzes the targets of the repository and keeps account of it.
#
#   fuzz.sh list                   every target with the processor time it has had
#   fuzz.sh run TARGET [TIME]      one target, or all that a short name means, for TIME each (60s)
#   fuzz.sh rounds HH:MM [TIME]    always the target with the least time so far, until HH:MM UTC; one that
#                                  fails waits until it is mended
#   fuzz.sh distill TARGET [N]     keep the N inputs (24) that cover most as seeds in testdata
#
# What is found stays under .cache/fuzz, so that time adds up. Each run adds a line to ledger.tsv:
# the processor time is that of the fuzzing processes, not the wall's. An input that fails is left
# by Go in the package's testdata/fuzz, where it belongs once the fault is mended.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cache=$root/.cache/fuzz
ledger=${LEDGER:-$root/deploy/fuzz/ledger.tsv}
cd "$root"

# targets prints "FOLDER:Func" of each.
targets() {
	grep -rE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+\(' core services |
		sed -E 's#^(.*)/[^/]+_test\.go:func (Fuzz[A-Za-z0-9_]+)\(.*#\1:\2#' | sort -u
}

# find_targets prints those that a name means: FOLDER:Func, a folder or its last part, or a part of
# the function's name.
find_targets() {
	local want=${1#./} all found
	all=$(targets)
	found=$(grep -Fx -- "$want" <<<"$all" ||
		grep -E -- "(^|/)${want}:" <<<"$all" ||
		grep -iE -- ":(Fuzz.*)?${want}" <<<"$all") || {
		echo "no target is called $1; there are:" >&2
		list >&2
		return 2
	}
	echo "$found"
}

# spent prints a target's processor seconds so far.
spent() { [ -f "$ledger" ] && awk -F'\t' -v t="$1" '$3 == t { s += $4 } END { printf "%d\n", s }' "$ledger" || echo 0; }

list() {
	local t
	printf '%10s %8s  %s\n' 'CPU time' inputs target
	for t in $(targets); do
		printf '%8d s %8d  %s\n' "$(spent "$t")" "$(inputs "$t")" "$t"
	done
}

corpus() { echo "$cache/corpus/${1/://}"; }
inputs() { find "$(corpus "$1")" -type f 2>/dev/null | wc -l; }

# compile builds a target's test binary with the counters that guide the fuzzing; $2 are more flags.
compile() {
	local folder=${1%%:*} func=${1##*:} binary
	binary=$cache/bin/${1//[\/:]/_}${3:-}
	mkdir -p "$cache/bin"
	go test -c ${2:--fuzz="^$func\$"} -o "$binary" "./$folder" >&2
	echo "$binary"
}

run() {
	local target=$1 limit=${2:-60s} folder=${1%%:*} func=${1##*:} binary log times before after result=ok status=0
	binary=$(compile "$target")
	log=$(mktemp) times=$(mktemp)
	mkdir -p "$(corpus "$target")"
	before=$(inputs "$target")
	# Go adds the function's name to the folder of the corpus.
	TIMEFORMAT='%U %S'
	cd "$folder"
	{ time nice -n 19 "$binary" -test.run='^$' -test.fuzz="^$func\$" -test.fuzztime="$limit" \
		-test.fuzzcachedir="$(dirname "$(corpus "$target")")" -test.parallel=1 >"$log" 2>&1; } 2>"$times" || status=$?
	cd "$root"
	after=$(inputs "$target")
	[ "$status" -eq 0 ] || result=failed
	[ -f "$ledger" ] || printf 'at\tcommit\ttarget\tcpu_s\texecutions\tnew_inputs\tcorpus_inputs\tcorpus_bytes\tresult\n' >"$ledger"
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%MZ)" "$(git rev-parse --short HEAD)" "$target" \
		"$(tail -n 1 "$times" | awk '{ printf "%.0f", $1 + $2 }')" \
		"$(sed -nE 's/.*execs: ([0-9]+).*/\1/p' "$log" | tail -n 1)" "$((after - before))" "$after" \
		"$(find "$(corpus "$target")" -type f -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }')" "$result" >>"$ledger"
	tail -n 1 "$ledger"
	[ "$result" = ok ] || cat "$log"
	rm -f "$log" "$times"
	return "$status"
}

rounds() {
	local until limit=${2:-5m} next failed=' '
	until=$(date -u -d "$1" +%s)
	while [ "$(date -u +%s)" -lt "$until" ]; do
		next=$(for t in $(targets); do [[ $failed == *" $t "* ]] || echo "$(spent "$t") $t"; done | sort -n | head -n 1 | cut -d' ' -f2)
		[ -n "$next" ] || return 1
		local left=$((until - $(date -u +%s)))
		run "$next" "$([ "$left" -lt 300 ] && echo "${left}s" || echo "$limit")" || failed+="$next "
	done
}

# distill runs each input of the corpus alone and keeps, greedily, those that reach most code.
distill() {
	local target=$1 most=${2:-24} folder=${1%%:*} func=${1##*:} binary work seeds one n
	binary=$(compile "$target" -cover .cover)
	work=$(mktemp -d) seeds=$folder/testdata/fuzz/$func
	one=$work/run/testdata/fuzz/$func
	mkdir -p "$one" "$work/reach" "$work/run/testdata"
	# Only its own seeds are left out: a target may read other files of its package.
	[ ! -d "$folder/testdata" ] || find "$folder/testdata" -mindepth 1 -maxdepth 1 ! -name fuzz -exec cp -r {} "$work/run/testdata/" \;
	reach() { # what the code reached by the one input in place is
		(cd "$work/run" && "$binary" -test.run="^$func\$" -test.coverprofile="$work/profile" >/dev/null 2>&1) || return 1
		awk 'NR > 1 && $NF > 0 { print $1 }' "$work/profile" | sort -u
	}
	reach >"$work/base" || { echo "$target does not run on its own seeds" >&2; return 1; }
	find "$(corpus "$target")" -type f -size -8k -printf '%s %p\n' | sort -n | awk '{ print $2 }' | awk 'NR <= 30 || NR % 4 == 0' | head -n 100 |
		while read -r input; do
			rm -f "$one"/*
			cp "$input" "$one/"
			reach | comm -13 "$work/base" - >"$work/reach/$(basename "$input")" || rm -f "$work/reach/$(basename "$input")"
		done
	mkdir -p "$seeds"
	n=0
	cp "$work/base" "$work/covered"
	while [ "$n" -lt "$most" ]; do
		best='' gain=0
		for f in "$work"/reach/*; do
			[ -s "$f" ] || continue
			g=$(comm -13 "$work/covered" "$f" | wc -l)
			if [ "$g" -gt "$gain" ]; then best=$f gain=$g; fi
		done
		[ -n "$best" ] || break
		cp "$(corpus "$target")/$(basename "$best")" "$seeds/"
		sort -u "$work/covered" "$best" -o "$work/covered"
		rm "$best"
		n=$((n + 1))
	done
	rmdir --ignore-fail-on-non-empty "$seeds" 2>/dev/null || true
	echo "$target: $n inputs kept, $(wc -l <"$work/base") blocks before, $(wc -l <"$work/covered") with them"
	rm -rf "$work"
}

command=${1:-list}
shift || true
case $command in
list | rounds) "$command" "$@" ;;
run | distill)
	name=${1:?say which target}
	shift
	found=$(find_targets "$name")
	failed=0
	for t in $found; do "$command" "$t" "$@" || failed=1; done
	exit "$failed"
	;;
*)
	sed -n '2,12s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac
