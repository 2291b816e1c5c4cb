#!/bin/sh
# What the languages do with programs like those of chapter 7. A program has three seconds.
cd "$(dirname "$0")" || exit 1
out=$(mktemp -d)

ask() {
    language=$1
    shift
    for what in deep endless busy fail lonely will mine idle; do
        timeout 3 "$@" "$what" >"$out/said" 2>"$out/complaint"
        status=$?
        sed "s/^/$language, $what: /" "$out/said"
        # The first line of a complaint says enough. At the end of its time a program may complain of that.
        [ $status = 124 ] || grep -v '^$' "$out/complaint" | head -n 1 | cut -c 1-60 |
            sed "s/^/$language, $what, stderr: /"
        case $status in
            0) ;;
            124) echo "$language, $what: nothing more for three seconds" ;;
            *) echo "$language, $what: status $status" ;;
        esac
    done
}

command -v go >/dev/null && go build -o "$out/break" break.go && ask Go "$out/break"
command -v ruby >/dev/null && ask Ruby ruby break.rb
command -v julia >/dev/null && ask Julia julia "$PWD/break.jl" &&
    JULIA_COPY_STACKS=1 julia "$PWD/break.jl" idle | sed 's/^/Julia that copies stacks, idle: /'
command -v javac >/dev/null && javac -d "$out" Break.java &&
    ask Java java -Djdk.virtualThreadScheduler.parallelism=1 -cp "$out" Break
command -v erlc >/dev/null && erlc -o "$out" breaks.erl && ask Erlang erl -noshell +S 1 -pa "$out" -run breaks main
rm -r "$out"

versions() {
    command -v go >/dev/null && go version | sed 's/go version go/Go /; s/ [a-z]*\/.*//'
    command -v ruby >/dev/null && ruby --version | sed 's/ruby /Ruby /; s/p.*//'
    command -v julia >/dev/null && julia --version | sed 's/julia version/Julia/'
    command -v java >/dev/null && java --version | sed -n '1s/openjdk /Java /; 1s/ 20.*//p'
    command -v erl >/dev/null &&
        erl -noshell -eval 'io:format("Erlang ~s~n", [erlang:system_info(otp_release)]), halt().'
}
echo "said by $(versions | paste -sd, | sed 's/,/, /g'), $(date +%Y-%m-%d)"
