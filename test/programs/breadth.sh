# What ordinary Bash programs ask of the kernel: pipelines, jobs, here-documents, substitution.
set -euo pipefail
printf '%s\n' three one two | sort | tr a-z A-Z | tee tmp/sorted
wc -l < tmp/sorted
cat <<TEXT
$(head -n 1 tmp/sorted) and <$(basename "$PWD/tmp/sorted")>
TEXT
while read -r line; do echo "line $line"; done < <(seq 2)
(sleep 0.01; exit 4) & wait $! || echo "job $?"
trap 'echo trapped' USR1
kill -USR1 $$
ulimit -n 50
declare -A map=([key]=value)
echo "${map[key]} $(ulimit -n) ${#BASH_VERSION}" | sed 's/ [0-9]*$//'
mkdir -p tmp/a/b && cp tmp/sorted tmp/a/b/ && mv tmp/a/b/sorted tmp/a/copy && ln -s copy tmp/a/link
grep -c O tmp/a/link
find tmp/a | sort | xargs -n 1 echo
timeout 5 dd if=tmp/sorted of=tmp/doubled bs=4 conv=sync 2> /dev/null
awk 'BEGIN { for (i = 0; i < 100000; i++) sum += i; print sum }'
exec 3> tmp/three
echo text >&3
exec 3>&-
coproc cat
echo "to a coprocess" >&"${COPROC[1]}"
read -r answer <&"${COPROC[0]}"
echo "$answer"
touch -d @1 tmp/three && stat -c %Y tmp/three
