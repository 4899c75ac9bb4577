# A NetworkManager with a bus of its own, in namespaces of its own, that configures the card `uplink`. Its argument is a
# folder, in which the file `ready` appears. Run by `unshare` with a mount, network and process namespace.
set -e
mount --make-rprivate /
for folder in /run /etc/NetworkManager /var/lib/NetworkManager; do mount -t tmpfs none "$folder"; done
# It takes every link for its own that udev would have told of, unless /sys is read-only.
mount -t sysfs -o ro sysfs /sys
mkdir -p /run/dbus /etc/NetworkManager/system-connections /etc/NetworkManager/conf.d
ip link set lo up
ip link add uplink type veth peer name far
ip link set far up
cat > /etc/NetworkManager/system-connections/uplink.nmconnection <<KEYFILE
[connection]
id=uplink
uuid=11111111-1111-4111-8111-111111111111
type=ethernet
interface-name=uplink

[ipv4]
method=manual
address1=198.51.100.10/24

[ipv6]
method=manual
address1=2001:db8:2::10/64
KEYFILE
chmod 600 /etc/NetworkManager/system-connections/uplink.nmconnection
printf '[main]\nplugins=keyfile\n' > /etc/NetworkManager/NetworkManager.conf
printf '[keyfile]\nunmanaged-devices=interface-name:far\n' > /etc/NetworkManager/conf.d/00-test.conf
cat > /run/bus.conf <<BUS
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
BUS
dbus-daemon --config-file=/run/bus.conf --fork --nopidfile
NetworkManager --no-daemon > /run/nm.log 2>&1 &
for _ in $(seq 200); do nmcli -t general > /dev/null 2>&1 && break; sleep 0.1; done
nmcli device set uplink managed yes
for _ in $(seq 200); do nmcli -t device | grep -q '^uplink:ethernet:connected:' && break; sleep 0.1; done
touch "$1/ready"
wait
