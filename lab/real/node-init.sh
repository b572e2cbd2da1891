# Owns: pid 1 of a lab node. Run by `unshare` in net, mount, uts and pid namespaces of its own; whatever it starts dies
# with it. It speaks with the lab over stdin and stdout: says "ready", waits for a line (the links are in), starts the
# daemons, says "started", and ends when stdin ends: so a lab that crashes, however, leaves no node behind.
#
# node-init.sh NAME ROLE FOLDER     ROLE: switch | host | router; FOLDER holds frr/, rsyslog.conf, sshd_config, keys.
set -euo pipefail
name=$1 role=$2 folder=$3
PATH=/usr/sbin:/usr/bin:/sbin:/bin

hostname "$name"
ip link set lo up
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1

private_files() {
  for path in /run /var/log /var/tmp; do mount -t tmpfs -o mode=755 tmpfs "$path"; done
  # A /dev of its own: syslog(3) writes to /dev/log, and the machine's own must not hear of the lab.
  mkdir /run/dev
  mount -t tmpfs -o mode=755 tmpfs /run/dev
  for device in null zero full random urandom tty; do
    : >"/run/dev/$device"
    mount --bind "/dev/$device" "/run/dev/$device"
  done
  mkdir /run/dev/pts
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts /run/dev/pts
  ln -s pts/ptmx /run/dev/ptmx
  ln -s /proc/self/fd /run/dev/fd
  mount --move /run/dev /dev
}

network_operator() {
  # A person who logs in and gets the router's CLI. The group frrvty may open the daemons' sockets.
  : >/var/log/lastlog
  mkdir -p /run/netop /run/sshd
  # sshd reads it as that person, who cannot look into FOLDER.
  cp "$folder/authorized-keys" /run/netop/
  chown -R 61999 /run/netop
  { cat /etc/passwd; echo "netop:x:61999:$(getent group frrvty | cut -d: -f3):network operator:/run/netop:/usr/bin/vtysh"; } >/run/passwd
  { cat /etc/shadow; echo 'netop:*:::::::'; } >/run/shadow
  chmod 600 /run/shadow
  mount --bind /run/passwd /etc/passwd
  mount --bind /run/shadow /etc/shadow
  # Debian's file has no account line, and vtysh as a login shell then says `vtysh_pam: Failed in account validation`.
  printf 'auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n' >/run/pam
  if [ -e /etc/pam.d/frr ]; then mount --bind /run/pam /etc/pam.d/frr; fi
}

routing() {
  # arp_ignore, arp_announce: only the holder of the virtual address answers for it, and with the virtual MAC.
  # rp_filter off: packets for the virtual MAC come in on the macvlan, the way back is the interface below it.
  for scope in all default; do
    sysctl -qw "net.ipv4.conf.$scope.rp_filter=0" "net.ipv4.conf.$scope.arp_ignore=1" "net.ipv4.conf.$scope.arp_announce=2"
  done
  sysctl -qw net.ipv4.ip_forward=1
}

start_router() {
  # /var/tmp/frr must be the daemon's own, or each start warns.
  install -d -o frr -g frr -m 755 /run/frr /var/tmp/frr
  mount --bind "$folder/frr" /etc/frr
  rsyslogd -i /run/rsyslogd.pid -f "$folder/rsyslog.conf" </dev/null
  local daemon
  for daemon in $(cat "$folder/daemons"); do
    "/usr/lib/frr/$daemon" -d -A 127.0.0.1 -F traditional </dev/null >"/run/$daemon.out" 2>&1
  done
  vtysh -b </dev/null >/run/vtysh.out 2>&1
  /usr/sbin/sshd -f "$folder/sshd_config" </dev/null
}

if [ "$role" = router ]; then
  private_files
  network_operator
  routing
fi
echo ready
read -r _ || exit 0
if [ "$role" = router ]; then start_router; fi
echo started
read -r _ || exit 0
