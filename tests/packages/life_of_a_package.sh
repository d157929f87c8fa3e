# A package's life, within the layer of layer.sh: what each step printed, and its exit code, come on standard output.
cd /root
# Every file with its kind, mode and target, but for dpkg's own notes and the account tools' backups.
list() {
    find / -xdev \( -path /proc -o -path /dev -o -path /run -o -path /tmp -o -path /sys \) -prune \
        -o -printf '%p %y %m %l\n' |
        grep -v -e '^/var/lib/dpkg' -e '^/var/log' -e '^/var/cache/ldconfig' \
            -e '^/etc/[a-z]*- ' -e '^/etc/.pwd.lock' | sort
}
step() {
    local name=$1
    shift
    "$@" </dev/null >/tmp/$name.out 2>/tmp/$name.err
    echo $? >/tmp/$name.code
}
list >/tmp/before; cat /etc/passwd /etc/group >/tmp/accounts.before
step install dpkg -i /tmp/watchword.deb
step version watchword --version
step check watchword check --json
step reset watchword config set speech.rate_wpm 200
(cd /var/lib/watchword && stat -c '%U %a' . overrides.toml models/starter /etc/watchword/config.toml) >/tmp/owners
head -c 1 /etc/watchword/config.schema.json >/tmp/schema
gzip -t /usr/share/man/man1/watchword.1.gz &&
    bash -n /usr/share/bash-completion/completions/watchword && echo fine >/tmp/pages
watchword web >/tmp/web.out 2>&1 & web=$!
# It takes idle time only, of which other tests leave none.
(while kill -0 $web; do
    chrt --all-tasks --other --pid 0 $web
    sleep 0.5
done) >/dev/null 2>&1 &
step run watchword run --source demo --once --wav /tmp/said.wav
step page /opt/watchword/bin/python -c '
import time, urllib.request
for attempt in range(60):
    try:
        print(urllib.request.urlopen("http://127.0.0.1:8780/", timeout=10).read(400))
        break
    except OSError as error:
        print(error)
        time.sleep(1)'
kill $web
wait $web
step again dpkg -i /tmp/watchword.deb
grep -c rate_wpm /var/lib/watchword/overrides.toml >/tmp/kept
step remove dpkg --remove watchword
[ ! -e /opt/watchword ] && [ -e /var/lib/watchword/models/starter ] &&
    [ -e /etc/watchword/config.toml ] && echo fine >/tmp/removed
step purge dpkg --purge watchword
rm -rf /root/.cache /root/.config
list >/tmp/after; cat /etc/passwd /etc/group >/tmp/accounts.after
diff /tmp/before /tmp/after >/tmp/traces; diff /tmp/accounts.before /tmp/accounts.after >>/tmp/traces
cd /tmp
for file in *.out *.err *.code owners schema pages kept removed traces; do
    printf '\001%s\002' $file
    cat $file
done
