# SPDX-License-Identifier: Apache-2.0
# A reader of progress that goes away does not end a run; nor does it keep
# one from its checkpoint.  A terminal that hangs up stops it like Ctrl-C.
mkdir tiny
tiny_set tiny 20 2
mkfifo pipe
start() { # folder
    head -n 1 <pipe >/dev/null &
    ballast train --data tiny --model resnet20 --epochs 5000 --batch 64 \
        --threads 1 --out "$1" >out 2>pipe &
}
stop() { # folder, signal, process
    while [ ! -e "$1/metrics.jsonl" ] || [ "$(wc -l <"$1/metrics.jsonl")" -lt 4 ]
    do
        kill -0 "$3" || break
        sleep 0.02
    done
    kill -"$2" "$3"
    wait "$3" || echo $?
}
start a
stop a TERM $!
if sh -c 'kill -HUP $$; exit 7' 2>/dev/null; [ $? = 7 ]; then
    echo 129 # under nohup
else
    start b
    stop b HUP $!
fi
