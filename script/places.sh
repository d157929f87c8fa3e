# Where an installed Watchword has its parts, and the options that install and uninstall share.
# Sets: scope (system or user), dry, purge, extras, prefix, bin, config, units, state, cache, share.
# shellcheck shell=bash disable=SC2034

say() { echo "${0##*/}: $*" >&2; }
fail() { say "$*" && exit "${code:-1}"; }
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "$0"; }

# Does it, or with --dry-run only says so.
run() { if $dry; then echo "would run: $*"; else "$@"; fi; }

# Whether this machine itself is changed, and not a folder that only looks like one.
real() { [ -z "${DESTDIR:-}" ]; }

has_systemd() { real && { $dry || [ -d /run/systemd/system ]; }; }

systemctl_() { if [ $scope = user ]; then run systemctl --user "$@"; else run systemctl "$@"; fi; }

parse() {
    scope=system dry=false purge=false extras=''
    while [ $# -gt 0 ]; do
        case $1 in
            --user) scope=user ;;
            --dry-run) dry=true ;;
            --purge) [ "${0##*/}" = uninstall ] || code=2 fail "unknown option --purge; see --help"; purge=true ;;
            --with) extras=${2:?--with needs the names of extras}; shift ;;
            -h | --help) usage && exit ;;
            *) code=2 fail "unknown option $1; see --help" ;;
        esac
        shift
    done
    [ $scope = user ] || ! real || $dry || [ "$(id -u)" = 0 ] || fail "a system service needs root: sudo $0; or --user"
    places
}

places() {
    local root=${DESTDIR:-}
    if [ $scope = system ]; then
        prefix=$root/opt/watchword bin=$root/usr/local/bin config=$root/etc/watchword
        units=$root/etc/systemd/system state=$root/var/lib/watchword cache=$root/var/cache/watchword
        sysusers=$root/etc/sysusers.d/watchword.conf sysusers_web=$root/etc/sysusers.d/watchword-web.conf
        udev=$root/etc/udev/rules.d/70-watchword.rules
        share=$root/usr/local/share
    else
        local home=$root$HOME
        prefix=$home/.local/opt/watchword bin=$home/.local/bin
        config=$root${XDG_CONFIG_HOME:-$HOME/.config}/watchword
        units=$root${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
        state=$root${XDG_STATE_HOME:-$HOME/.local/state}/watchword
        cache=$root${XDG_CACHE_HOME:-$HOME/.cache}/watchword
        models=$root${XDG_DATA_HOME:-$HOME/.local/share}/watchword
        share=$root${XDG_DATA_HOME:-$HOME/.local/share}
    fi
    man=$share/man/man1/watchword.1
    completions=("$share/bash-completion/completions/watchword" "$share/zsh/site-functions/_watchword")
}
